package dev.yangtuo.eval;

import dev.yangtuo.exception.YangtuoException;
import java.util.EnumMap;
import java.util.Map;

/**
 * Scores answers to pCLUE's tasks as its {@code evaluate_pclue.py} does (github.com/CLUEbenchmark/pCLUE): target and answer are normalized ({@link TextMetrics#normalize}),
 * then compared, by F1 and ROUGE-L as {@link TextMetrics} computes them. Keeps sums only. Not thread-safe.
 */
public final class PclueScorer {
    private final Map<PclueType, Sums> sums = new EnumMap<>(PclueType.class);

    private static final class Sums {
        private long count;
        private long exact;
        /** Of F1 for text comprehension, of ROUGE-L for generated texts. */
        private double alike;

        double exactShare() {
            return (double) exact / count;
        }

        double alikeMean() {
            return alike / count;
        }
    }

    /** Nothing scored yet. */
    public PclueScorer() {}

    /**
     * Scores an answer.
     *
     * @throws IllegalArgumentException if the task has no target
     * @throws YangtuoException if the texts are too long to be compared ({@link TextMetrics#f1})
     */
    public void add(PclueItem item, String answer) {
        PclueType type = item.type();
        if (item.target() == null || type == null) {
            throw new IllegalArgumentException("%s: there is no target".formatted(item.place()));
        }
        String target = TextMetrics.normalize(item.target());
        String prediction = TextMetrics.normalize(answer);
        Sums of = of(type);
        of.count++;
        of.exact += target.equals(prediction) ? 1 : 0;
        try {
            of.alike += switch (type) {
                case CLASSIFY, NLI -> 0;
                case MRC -> TextMetrics.f1(prediction, target);
                case GENERATE -> TextMetrics.rougeL(target, prediction);
            };
        } catch (YangtuoException e) {
            throw new YangtuoException("%s: %s".formatted(item.place(), e.getMessage()), e);
        }
    }

    /** The scores of all answers so far. */
    public PclueResult result() {
        Sums classify = of(PclueType.CLASSIFY);
        Sums nli = of(PclueType.NLI);
        Sums generate = of(PclueType.GENERATE);
        Sums mrc = of(PclueType.MRC);
        return new PclueResult(classify.exactShare(), nli.exactShare(), generate.alikeMean(), mrc.exactShare(), mrc.alikeMean(),
                classify.count, nli.count, generate.count, mrc.count);
    }

    private Sums of(PclueType type) {
        return sums.computeIfAbsent(type, _ -> new Sums());
    }
}
