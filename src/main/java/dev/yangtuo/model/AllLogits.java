package dev.yangtuo.model;

import dev.yangtuo.kernel.Candidates;
import org.jspecify.annotations.Nullable;

/**
 * Wants all logits of the outputs of a pass.
 *
 * @param target receives them, row-major; null where there are none
 */
record AllLogits(float @Nullable [] target) implements PassOutputs {
    @Override
    public int candidateCount() {
        return 0;
    }

    @Override
    public int choices() {
        throw new IllegalStateException("no candidates are wanted");
    }

    @Override
    public void addEdits(Candidates wanted, int outputs) {
        throw new IllegalStateException("no candidates are wanted");
    }

    @Override
    public void accept(PassResult result) {
        if (target != null) {
            result.readLogits(0, result.outputCount(), target);
        }
    }
}
