package dev.yangtuo.scheduler;

import dev.yangtuo.kernel.Candidates;
import dev.yangtuo.model.KvMemoryException;
import dev.yangtuo.model.Model;
import dev.yangtuo.model.PassOutputs;
import dev.yangtuo.model.PassPart;
import dev.yangtuo.model.PassResult;
import dev.yangtuo.model.Sequence;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.Arrays;
import java.util.List;

/**
 * Guesses with a smaller model of the same vocabulary what a larger one will say (Leviathan et al., arXiv 2211.17192, with the smaller one's best token as its guess and
 * an exact comparison in place of rejection sampling: what the larger model's sampler draws decides). Where the smaller model has no memory left, or fails, nothing is
 * guessed and the text goes on without it.
 */
public final class DraftModel implements Drafter {
    private static final Logger LOGGER = System.getLogger(DraftModel.class.getName());

    private final Model model;
    private final int choices;
    private final int draftTokens;
    private final Best best = new Best();
    private final Sequence sequence;
    /** The tokens of the sequence. */
    private int[] computed = new int[64];
    private boolean failed;

    /**
     * @param model the smaller model; stays the caller's
     * @param choices only ids below this are guessed
     * @param draftTokens guesses at a time, at least 1
     */
    public DraftModel(Model model, int choices, int draftTokens) {
        if (draftTokens < 1) {
            throw new IllegalArgumentException("%d guesses at a time are not possible, 1 and more are".formatted(draftTokens));
        }
        this.model = model;
        this.choices = choices;
        this.draftTokens = draftTokens;
        this.sequence = model.newSequence();
    }

    /** The most probable token. */
    private final class Best implements PassOutputs {
        private int id;

        @Override
        public int candidateCount() {
            return 1;
        }

        @Override
        public int choices() {
            return choices;
        }

        @Override
        public void addEdits(Candidates wanted, int outputs) {
            wanted.addOutput();
        }

        @Override
        public void accept(PassResult result) {
            id = result.candidates().id(0, 0);
        }
    }

    @Override
    public int draft(int[] tokens, int count, int[] target, int most) {
        if (failed || count > model.contextLength()) {
            return 0;
        }
        int guesses = 0;
        try {
            catchUp(tokens, count);
            int wanted = Math.min(most, draftTokens);
            target[guesses++] = best.id;
            while (guesses < wanted && sequence.remaining() > 0) {
                append(target, guesses - 1, 1);
                target[guesses++] = best.id;
            }
        } catch (KvMemoryException e) {
            return guesses; // its memory is shared, too
        } catch (RuntimeException e) {
            failed = true;
            LOGGER.log(Level.WARNING, "the model that guesses has failed; the text goes on without it", e);
        }
        return guesses;
    }

    /** Forgets what was guessed wrongly, and computes what has come since. */
    private void catchUp(int[] tokens, int count) {
        int common = Arrays.mismatch(computed, 0, sequence.length(), tokens, 0, count);
        sequence.truncate(Math.min(common < 0 ? sequence.length() : common, count - 1));
        while (sequence.length() < count) {
            append(tokens, sequence.length(), Math.min(model.maxColumns(), count - sequence.length()));
        }
    }

    private void append(int[] tokens, int offset, int count) {
        int before = sequence.length();
        if (computed.length < before + count) {
            computed = Arrays.copyOf(computed, Math.max(before + count, computed.length * 2));
        }
        System.arraycopy(tokens, offset, computed, before, count);
        model.forward(List.of(PassPart.withLastOutput(sequence, tokens, offset, count)), best, () -> true);
    }

    @Override
    public void close() {
        sequence.close();
    }
}
