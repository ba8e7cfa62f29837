package dev.yangtuo.bench;

import dev.yangtuo.model.ModelCosts;

/**
 * What a test must read and compute at least. Bytes: the packed weights of the projections and of the output matrix once for each forward pass that needs
 * them, and the keys and values that the pass looks at; the embedding's rows do not count, nor do activations, which stay in caches. Operations:
 * multiplications and additions of the projections for every token, and of the output matrix for those whose logits are wanted; attention's own
 * products do not count.
 *
 * @param bytes of the whole test
 * @param operations of the whole test
 */
public record Workload(double bytes, double operations) {
    private static final int MULTIPLICATION_AND_ADDITION = 2;

    /**
     * Of a test.
     *
     * @param step columns of a forward pass at most
     */
    static Workload of(BenchTest test, ModelCosts costs, int step) {
        return switch (test.kind()) {
            case PROMPT -> prompt(test, costs, step);
            case GENERATION -> generation(test, costs);
        };
    }

    /** The output matrix is read in the last pass alone, for one token. */
    private static Workload prompt(BenchTest test, ModelCosts costs, int step) {
        double bytes = costs.outputBytes();
        for (int done = 0; done < test.tokens(); ) {
            done += Math.min(step, test.tokens() - done);
            bytes += costs.layerBytes() + (double) (test.depth() + done) * costs.keyValueBytes();
        }
        double weights = (double) costs.layerWeights() * test.tokens() + costs.outputWeights();
        return new Workload(bytes, MULTIPLICATION_AND_ADDITION * weights);
    }

    /** Each pass reads the weights once, and of each sequence the positions up to its new one. */
    private static Workload generation(BenchTest test, ModelCosts costs) {
        double positions = test.tokens() * (test.depth() + (test.tokens() + 1) / 2.0);
        double bytes = (double) test.tokens() * (costs.layerBytes() + costs.outputBytes()) + test.sequences() * positions * costs.keyValueBytes();
        double weights = (double) test.allTokens() * (costs.layerWeights() + costs.outputWeights());
        return new Workload(bytes, MULTIPLICATION_AND_ADDITION * weights);
    }
}
