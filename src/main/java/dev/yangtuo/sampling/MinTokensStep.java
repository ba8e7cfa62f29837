package dev.yangtuo.sampling;

import dev.yangtuo.grammar.TokenConstraint;
import org.jspecify.annotations.Nullable;

/** Forbids the end of the text while it is too short, but where a constraint allows nothing else. */
final class MinTokensStep implements EditStep {
    private final int minTokens;
    private final int[] endIds;
    private final int choices;
    private final @Nullable TokenConstraint constraint;
    /** A bit for each token that ends the text. */
    private final long[] ends;

    MinTokensStep(int minTokens, SamplerVocabulary vocabulary, @Nullable TokenConstraint constraint) {
        this.minTokens = minTokens;
        this.choices = vocabulary.choices();
        this.endIds = vocabulary.endIds();
        this.constraint = constraint;
        this.ends = new long[(choices + Long.SIZE - 1) / Long.SIZE];
        for (int id : endIds) {
            ends[id / Long.SIZE] |= 1L << id;
        }
    }

    @Override
    public void edit(TokenHistory history, LogitEdits edits) {
        if (history.generated() >= minTokens || constraint != null && allowsOnlyTheEnd(constraint.allowed())) {
            return;
        }
        for (int id : endIds) {
            edits.edit(id, 1f, Float.NEGATIVE_INFINITY);
        }
    }

    private boolean allowsOnlyTheEnd(long[] allowed) {
        for (int i = 0; i < Math.min(allowed.length, ends.length); i++) {
            long inside = (i + 1) * Long.SIZE <= choices ? -1L : (1L << choices) - 1;
            if ((allowed[i] & ~ends[i] & inside) != 0) {
                return false;
            }
        }
        return true;
    }
}
