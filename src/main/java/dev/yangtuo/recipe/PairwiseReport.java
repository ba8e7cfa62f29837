package dev.yangtuo.recipe;

/**
 * What came of judging pairs. Immutable; {@link #plus} counts one more.
 *
 * @param winsA pairs that the first system won in both orders
 * @param winsB pairs that the second system won in both orders
 * @param agreedTies pairs that were a tie in both orders
 * @param disagreed pairs of which the two orders said different things; they count as ties
 * @param followedFirst of these, those of which the answer at the first place was better both times
 * @param followedSecond of these, those of which the answer at the second place was better both times
 * @param undecided pairs without a verdict in one order or both; they count nowhere else
 * @param saidFirst judgments, two of a pair, that said that the answer at the first place is better
 * @param saidSecond the same of the second place
 * @param saidTie the same of neither
 */
public record PairwiseReport(
        int winsA, int winsB, int agreedTies, int disagreed, int followedFirst, int followedSecond, int undecided, int saidFirst, int saidSecond, int saidTie) {
    /** Of nothing. */
    public static final PairwiseReport NONE = new PairwiseReport(0, 0, 0, 0, 0, 0, 0, 0, 0, 0);

    /** With one more pair. */
    public PairwiseReport plus(JudgedPair pair) {
        Outcome outcome = pair.outcome();
        boolean follows = pair.followsPosition();
        return new PairwiseReport(
                winsA + (outcome == Outcome.A ? 1 : 0),
                winsB + (outcome == Outcome.B ? 1 : 0),
                agreedTies + (outcome == Outcome.TIE && pair.isConsistent() ? 1 : 0),
                disagreed + (outcome == Outcome.TIE && !pair.isConsistent() ? 1 : 0),
                followedFirst + (follows && pair.inOrder().verdict() == Verdict.FIRST ? 1 : 0),
                followedSecond + (follows && pair.inOrder().verdict() == Verdict.SECOND ? 1 : 0),
                undecided + (outcome == Outcome.NONE ? 1 : 0),
                saidFirst + said(pair, Verdict.FIRST),
                saidSecond + said(pair, Verdict.SECOND),
                saidTie + said(pair, Verdict.TIE));
    }

    private static int said(JudgedPair pair, Verdict verdict) {
        return (pair.inOrder().verdict() == verdict ? 1 : 0) + (pair.swapped().verdict() == verdict ? 1 : 0);
    }

    /** Pairs without a winner. */
    public int ties() {
        return agreedTies + disagreed;
    }

    /** Pairs with a verdict: wins of either, and ties. */
    public int decided() {
        return winsA + winsB + ties();
    }

    /** All pairs. */
    public int pairs() {
        return decided() + undecided;
    }

    /** Share of the first system's wins in the decided pairs, a tie counting a half; NaN without any. */
    public double winRate() {
        return (winsA + ties() / 2.0) / decided();
    }

    /** The 95 % interval of {@link #winRate}. */
    public Interval winRateInterval() {
        return Interval.ofShare(winsA + ties() / 2.0, decided());
    }

    /** Share of the first system's wins in the pairs that somebody won; NaN without any. */
    public double winRateWithoutTies() {
        return (double) winsA / (winsA + winsB);
    }

    /** The 95 % interval of {@link #winRateWithoutTies}. */
    public Interval winRateWithoutTiesInterval() {
        return Interval.ofShare(winsA, winsA + winsB);
    }

    /** Share of the decided pairs of which both orders said the same; NaN without any. */
    public double consistency() {
        return (double) (decided() - disagreed) / decided();
    }

    /** Share of the judgments for one of two places that were for the first: 0.5 for a judge who does not look at places; NaN without any. */
    public double firstPlaceShare() {
        return (double) saidFirst / (saidFirst + saidSecond);
    }
}
