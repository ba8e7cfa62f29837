package dev.yangtuo.recipe;

/**
 * A pair that was judged in both orders.
 *
 * @param pair the answers
 * @param inOrder the judgment with the first system's answer first
 * @param swapped the judgment with the second system's answer first
 */
public record JudgedPair(AnswerPair pair, Judgment inOrder, Judgment swapped) {
    /** A win only if both orders agree, else a tie; none if one of them has no verdict. As MT-bench does (arXiv 2306.05685, 3.4). */
    public Outcome outcome() {
        if (inOrder.verdict() == Verdict.NONE || swapped.verdict() == Verdict.NONE) {
            return Outcome.NONE;
        }
        if (inOrder.verdict() == Verdict.FIRST && swapped.verdict() == Verdict.SECOND) {
            return Outcome.A;
        }
        return inOrder.verdict() == Verdict.SECOND && swapped.verdict() == Verdict.FIRST ? Outcome.B : Outcome.TIE;
    }

    /** Whether both orders say the same of the answers; not if one of them has no verdict. */
    public boolean isConsistent() {
        return outcome() == Outcome.A || outcome() == Outcome.B || inOrder.verdict() == Verdict.TIE && swapped.verdict() == Verdict.TIE;
    }

    /** Whether the verdict stayed at its place when the answers were swapped: the judge looked at the position. */
    public boolean followsPosition() {
        return inOrder.verdict() == swapped.verdict() && (inOrder.verdict() == Verdict.FIRST || inOrder.verdict() == Verdict.SECOND);
    }
}
