package dev.yangtuo.recipe;

/**
 * What came of rating pairs. Immutable; {@link #plus} counts one more.
 *
 * @param winsA pairs whose first answer has the higher score
 * @param winsB pairs whose second answer has the higher score
 * @param ties pairs with equal scores
 * @param undecided pairs one of whose answers has no score; they count nowhere else
 * @param sumA of the scores of the first system
 * @param squaresA of their squares
 * @param sumB of the scores of the second system
 * @param squaresB of their squares
 */
public record RatingReport(int winsA, int winsB, int ties, int undecided, double sumA, double squaresA, double sumB, double squaresB) {
    /** Of nothing. */
    public static final RatingReport NONE = new RatingReport(0, 0, 0, 0, 0, 0, 0, 0);

    /** With one more pair. */
    public RatingReport plus(RatedPair pair) {
        return switch (pair.outcome()) {
            case NONE -> new RatingReport(winsA, winsB, ties, undecided + 1, sumA, squaresA, sumB, squaresB);
            case A -> with(winsA + 1, winsB, ties, pair);
            case B -> with(winsA, winsB + 1, ties, pair);
            case TIE -> with(winsA, winsB, ties + 1, pair);
        };
    }

    private RatingReport with(int newWinsA, int newWinsB, int newTies, RatedPair pair) {
        return new RatingReport(newWinsA, newWinsB, newTies, undecided,
                sumA + pair.a(), squaresA + pair.a() * pair.a(), sumB + pair.b(), squaresB + pair.b() * pair.b());
    }

    /** Pairs with two scores. */
    public int decided() {
        return winsA + winsB + ties;
    }

    /** All pairs. */
    public int pairs() {
        return decided() + undecided;
    }

    /** Mean score of the first system; NaN without any. */
    public double meanA() {
        return sumA / decided();
    }

    /** Mean score of the second system; NaN without any. */
    public double meanB() {
        return sumB / decided();
    }

    /** The 95 % interval of {@link #meanA}. */
    public Interval meanAInterval() {
        return Interval.ofMean(sumA, squaresA, decided());
    }

    /** The 95 % interval of {@link #meanB}. */
    public Interval meanBInterval() {
        return Interval.ofMean(sumB, squaresB, decided());
    }

    /** Share of the first system's wins, a tie counting a half; NaN without any. */
    public double winRate() {
        return (winsA + ties / 2.0) / decided();
    }

    /** The 95 % interval of {@link #winRate}. */
    public Interval winRateInterval() {
        return Interval.ofShare(winsA + ties / 2.0, decided());
    }
}
