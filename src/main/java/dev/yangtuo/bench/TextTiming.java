package dev.yangtuo.bench;

import dev.yangtuo.kernel.Candidates;
import dev.yangtuo.model.Model;
import dev.yangtuo.model.PassOutputs;
import dev.yangtuo.model.PassPart;
import dev.yangtuo.model.PassResult;
import dev.yangtuo.model.Sequence;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Times a model on the tokens of a text: reading them as prompts, and writing them one after the other. A text that is longer than the context is
 * cut into windows, each a sequence of its own with a beginning of sequence before it. What is written are the text's own tokens, whatever the
 * model would have said, so that the time depends on nothing but their number; nothing is sampled. Each measurement runs once before it counts. For
 * one thread.
 */
public final class TextTiming {
    private final Model model;
    private final int bosId;
    private final int repeats;
    private final Listener listener;
    private final BooleanSupplier goesOn;

    /** Follows the runs. */
    public interface Listener {
        /**
         * Some tokens were computed.
         *
         * @param done tokens computed in all runs so far, beginnings of sequence included
         * @param count of all runs
         */
        void computed(long done, long count);
    }

    /**
     * What was measured.
     *
     * @param readSeconds to read all tokens, in each run
     * @param writeSeconds to write as many tokens as were asked for, in each run; null if none were
     */
    public record Result(Samples readSeconds, @Nullable Samples writeSeconds) {}

    /**
     * @param model with a context of at least two tokens; stays the caller's
     * @param bosId put before each window; negative for none
     * @param repeats runs that count, at least 1
     * @param goesOn asked in each forward pass, by any thread; once it says no it must go on saying so
     */
    public TextTiming(Model model, int bosId, int repeats, Listener listener, BooleanSupplier goesOn) {
        if (repeats < 1) {
            throw new IllegalArgumentException("%d runs are not possible".formatted(repeats));
        }
        if (windowTokens(model.contextLength(), bosId) < 1) {
            throw new IllegalArgumentException("a context of %d tokens is too short to hold a part of the text".formatted(model.contextLength()));
        }
        this.model = model;
        this.bosId = bosId;
        this.repeats = repeats;
        this.listener = listener;
        this.goesOn = goesOn;
    }

    /** Tokens of the text that fit a context. */
    public static int windowTokens(int context, int bosId) {
        return bosId < 0 ? context : context - 1;
    }

    /**
     * Measures.
     *
     * @param ids of the text, at least one
     * @param write how many of them are written, from the first on, and again from the first where there are not as many; 0 for none
     * @return null if it was not to go on
     */
    public @Nullable Result measure(int[] ids, int write) {
        Progress progress = new Progress((repeats + 1L) * (withBos(ids.length) + withBos(write)));
        int[] written = repeated(ids, write);
        List<Double> reading = new ArrayList<>();
        List<Double> writing = new ArrayList<>();
        for (int run = 0; run <= repeats; run++) {
            double read = seconds(ids, model.maxColumns(), progress);
            double wrote = write == 0 ? 0 : seconds(written, 1, progress);
            if (!goesOn.getAsBoolean()) {
                return null;
            }
            if (run > 0) {
                reading.add(read);
                writing.add(wrote);
            }
        }
        return new Result(new Samples(reading), write == 0 ? null : new Samples(writing));
    }

    /** Tokens that are computed for so many of a text. */
    private long withBos(int tokens) {
        int size = windowTokens(model.contextLength(), bosId);
        return tokens + (bosId < 0 ? 0 : Math.ceilDiv(tokens, size));
    }

    private static int[] repeated(int[] ids, int count) {
        int[] result = new int[count];
        for (int i = 0; i < count; i++) {
            result[i] = ids[i % ids.length];
        }
        return result;
    }

    /**
     * Of all windows together; memory for keys and values is given back outside of the time.
     *
     * @param step tokens of a forward pass at most; with 1 the logits of each are computed, else those of the last of each window, as a
     *     continuation would need them
     */
    private double seconds(int[] ids, int step, Progress progress) {
        float[] logits = new float[model.vocabSize()];
        int size = windowTokens(model.contextLength(), bosId);
        long nanos = 0;
        for (int from = 0; from < ids.length && goesOn.getAsBoolean(); from += size) {
            int[] window = window(ids, from, Math.min(ids.length, from + size));
            try (Sequence sequence = model.newSequence()) {
                long start = System.nanoTime();
                for (int done = 0; done < window.length && goesOn.getAsBoolean(); ) {
                    int count = Math.min(step, window.length - done);
                    boolean wanted = step == 1 || done + count == window.length;
                    model.forward(List.of(new PassPart(sequence, window, done, count, wanted ? count - 1 : count)), new Logits(logits, wanted), goesOn);
                    done += count;
                    progress.advance(count);
                }
                nanos += System.nanoTime() - start;
            }
        }
        return Math.max(1, nanos) / 1e9;
    }

    private int[] window(int[] ids, int from, int to) {
        if (bosId < 0) {
            return Arrays.copyOfRange(ids, from, to);
        }
        int[] window = new int[to - from + 1];
        window[0] = bosId;
        System.arraycopy(ids, from, window, 1, to - from);
        return window;
    }

    /**
     * Reads the logits of a pass.
     *
     * @param wanted whether it has any
     */
    private record Logits(float[] target, boolean wanted) implements PassOutputs {
        @Override
        public int candidateCount() {
            return 0;
        }

        @Override
        public int choices() {
            return 0;
        }

        @Override
        public void addEdits(Candidates none, int outputs) {}

        @Override
        public void accept(PassResult result) {
            if (wanted) {
                result.readLogits(0, 1, target);
            }
        }
    }

    private final class Progress {
        private final long count;
        private long done;

        Progress(long count) {
            this.count = count;
        }

        void advance(int tokens) {
            done += tokens;
            listener.computed(done, count);
        }
    }
}
