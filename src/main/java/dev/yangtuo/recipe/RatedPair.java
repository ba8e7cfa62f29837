package dev.yangtuo.recipe;

/**
 * A pair whose answers were rated one by one.
 *
 * @param pair the answers
 * @param a of the first system's answer; NaN if there is none
 * @param b of the second system's answer; NaN if there is none
 */
public record RatedPair(AnswerPair pair, double a, double b) {
    /** The higher score wins. */
    public Outcome outcome() {
        if (Double.isNaN(a) || Double.isNaN(b)) {
            return Outcome.NONE;
        }
        return a > b ? Outcome.A : a < b ? Outcome.B : Outcome.TIE;
    }
}
