package dev.yangtuo.bench;

import dev.yangtuo.model.Model;
import dev.yangtuo.model.Sequence;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.BooleanSupplier;

/**
 * Runs tests on a model: each once to warm up, then as often as asked for. Tokens are random, the same in every run; what would be sampled does not matter,
 * so nothing is. Prompts take the way that every text takes. For one thread.
 */
public final class Benchmark {
    private static final long SEED = 1;

    private final Model model;
    private final int step;
    private final int repeats;
    private final Listener listener;
    private final BooleanSupplier goesOn;

    /** Follows the runs. */
    public interface Listener {
        /**
         * A run is about to begin.
         *
         * @param done runs that are complete, warm-ups included
         * @param count of all tests
         */
        void running(BenchTest test, int done, int count);
    }

    /**
     * @param model with a context and sequences enough for the tests; stays the caller's
     * @param step tokens of a prompt in a forward pass at most, 1 to {@link Model#maxColumns()}
     * @param repeats runs that count, at least 1
     * @param goesOn asked before each forward pass; once it says no it must go on saying so
     */
    public Benchmark(Model model, int step, int repeats, Listener listener, BooleanSupplier goesOn) {
        if (step < 1 || step > model.maxColumns()) {
            throw new IllegalArgumentException("a forward pass of %d tokens is not possible; 1 to %d are".formatted(step, model.maxColumns()));
        }
        if (repeats < 1) {
            throw new IllegalArgumentException("%d runs are not possible".formatted(repeats));
        }
        this.model = model;
        this.step = step;
        this.repeats = repeats;
        this.listener = listener;
        this.goesOn = goesOn;
    }

    /** Runs them; if it does not go on, those that were complete by then are returned. */
    public List<TestResult> run(List<BenchTest> tests) {
        List<TestResult> results = new ArrayList<>();
        int runs = tests.size() * (repeats + 1);
        for (BenchTest test : tests) {
            List<Double> speeds = measure(test, results.size() * (repeats + 1), runs);
            if (speeds.size() == repeats) {
                results.add(TestResult.of(test, new Samples(speeds), Workload.of(test, model.costs(), step)));
            }
        }
        return results;
    }

    /** Tokens a second of each run that was completed. */
    private List<Double> measure(BenchTest test, int done, int count) {
        List<Sequence> sequences = new ArrayList<>();
        try {
            float[] logits = new float[Math.multiplyExact(test.sequences(), model.vocabSize())];
            int[] before = tokens(test.depth());
            for (int i = 0; i < test.sequences(); i++) {
                sequences.add(model.newSequence());
                model.prefill(sequences.getLast(), before, step, logits, goesOn);
            }
            List<Double> speeds = new ArrayList<>();
            for (int run = 0; run <= repeats && goesOn.getAsBoolean(); run++) {
                listener.running(test, done + run, count);
                sequences.forEach(sequence -> sequence.truncate(test.depth()));
                long nanos = nanos(test, sequences, logits);
                if (run > 0 && goesOn.getAsBoolean()) {
                    speeds.add(1e9 * test.allTokens() / nanos);
                }
            }
            return speeds;
        } finally {
            sequences.forEach(Sequence::close);
        }
    }

    private long nanos(BenchTest test, List<Sequence> sequences, float[] logits) {
        int[] tokens = tokens(Math.toIntExact(test.allTokens()));
        int[] next = new int[test.sequences()];
        long start = System.nanoTime();
        switch (test.kind()) {
            case PROMPT -> model.prefill(sequences.getFirst(), tokens, step, logits, goesOn);
            case GENERATION -> {
                for (int i = 0; i < tokens.length && goesOn.getAsBoolean(); i += next.length) {
                    System.arraycopy(tokens, i, next, 0, next.length);
                    model.forwardEach(sequences, next, logits);
                }
            }
        }
        return Math.max(1, System.nanoTime() - start);
    }

    private int[] tokens(int count) {
        return new SplittableRandom(SEED).ints(count, 0, model.vocabSize()).toArray();
    }
}
