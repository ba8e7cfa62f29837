package dev.yangtuo.sampling;

import dev.yangtuo.exception.YangtuoException;
import dev.yangtuo.grammar.TokenConstraint;
import java.util.Arrays;

/** Takes out what the constraint of the text has no bit for. */
final class ConstraintStep implements RowStep {
    private final TokenConstraint constraint;
    private final int choices;

    ConstraintStep(TokenConstraint constraint, int choices) {
        this.constraint = constraint;
        this.choices = choices;
    }

    @Override
    public void apply(TokenHistory history, float[] logits) {
        long[] allowed = constraint.allowed();
        boolean any = false;
        for (int first = 0; first < choices; first += Long.SIZE) {
            int end = Math.min(choices, first + Long.SIZE);
            long word = first / Long.SIZE < allowed.length ? allowed[first / Long.SIZE] : 0;
            if (word == 0) {
                Arrays.fill(logits, first, end, Float.NEGATIVE_INFINITY);
                continue;
            }
            any |= end - first == Long.SIZE || (word & ((1L << end - first) - 1)) != 0;
            for (int id = first; word != -1L && id < end; id++) {
                if ((word >>> id & 1) == 0) {
                    logits[id] = Float.NEGATIVE_INFINITY;
                }
            }
        }
        if (!any) {
            throw new YangtuoException("the constraint of the text allows none of the %d tokens, not even the end of the text".formatted(choices));
        }
    }
}
