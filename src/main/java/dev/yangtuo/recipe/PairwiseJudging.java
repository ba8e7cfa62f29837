package dev.yangtuo.recipe;

import dev.yangtuo.concurrent.InFlight;
import dev.yangtuo.exception.ContextLengthException;
import java.util.Iterator;
import java.util.List;
import java.util.function.Predicate;

/**
 * Judges the answers of two systems, many pairs at a time. What is too long for the judge has no verdict, and does not stop the others. For one
 * thread at a time.
 */
public final class PairwiseJudging {
    private final int inFlight;

    /** @param inFlight pairs that are judged at the same time, at least 1 */
    public PairwiseJudging(int inFlight) {
        if (inFlight < 1) {
            throw new IllegalArgumentException("%d pairs at a time are not possible".formatted(inFlight));
        }
        this.inFlight = inFlight;
    }

    /**
     * Judges each pair in both orders, so that a judge who prefers a position gives ties and not wins.
     *
     * @param pairs taken as they are needed
     * @param listener receives the pairs in their order, on this thread; says whether to go on
     */
    public void judge(Iterator<AnswerPair> pairs, PairJudge judge, Predicate<JudgedPair> listener) {
        InFlight.run(pairs, inFlight,
                pair -> new JudgedPair(pair, judgment(judge, pair.question(), pair.a(), pair.b()), judgment(judge, pair.question(), pair.b(), pair.a())),
                judge::cancel,
                listener);
    }

    private static Judgment judgment(PairJudge judge, String question, String first, String second) {
        try {
            return judge.judge(question, first, second);
        } catch (ContextLengthException e) {
            return new Judgment(Verdict.NONE, List.of(), String.valueOf(e.getMessage()));
        }
    }

    /**
     * Rates each answer by itself.
     *
     * @param pairs taken as they are needed
     * @param listener receives the pairs in their order, on this thread; says whether to go on
     */
    public void rate(Iterator<AnswerPair> pairs, AnswerRater rater, Predicate<RatedPair> listener) {
        InFlight.run(pairs, inFlight,
                pair -> new RatedPair(pair, rating(rater, pair.question(), pair.a()), rating(rater, pair.question(), pair.b())),
                rater::cancel,
                listener);
    }

    private static double rating(AnswerRater rater, String question, String answer) {
        try {
            return rater.rate(question, answer);
        } catch (ContextLengthException e) {
            return Double.NaN;
        }
    }
}
