package dev.yangtuo.model;

import dev.yangtuo.tensor.TensorType;

/**
 * What memory the parts of a model take, so that its layers can be divided among devices.
 *
 * @param layers weights of each layer
 * @param embedding of it
 * @param output of the output matrix and its norm, also where that is the embedding
 * @param isTied whether the output matrix is the embedding, which then counts once where both are
 * @param buffers what forward passes compute in, on each device, at most
 * @param positionBytes keys and values of one position in one layer
 */
record ModelBytes(long[] layers, long embedding, long output, boolean isTied, long buffers, long positionBytes) {
    static ModelBytes of(MergedModel merged, TypePlan plan, TensorType kvType, long buffers) {
        ModelConfig config = merged.config();
        long[] layers = new long[config.nLayers()];
        for (int layer = 0; layer < layers.length; layer++) {
            for (LayerParameter kind : LayerParameter.values()) {
                MergedParameter parameter = merged.layer(layer, kind);
                layers[layer] += parameter == null ? 0 : plan.bytesOf(parameter);
            }
        }
        MergedParameter output = merged.output();
        long embedding = plan.bytesOf(merged.embedding());
        return new ModelBytes(layers, embedding, plan.bytesOf(merged.norm()) + (output == null ? embedding : plan.bytesOf(output)), output == null, buffers,
                ModelCosts.keyValueBytes(config, kvType) / config.nLayers());
    }

    /** Weights of the layers {@code first} to {@code end - 1}, and of what comes before the first layer and behind the last one. */
    long weights(int first, int end) {
        long bytes = 0;
        for (int layer = first; layer < end; layer++) {
            bytes += layers[layer];
        }
        boolean isWhole = first == 0 && end == layers.length;
        bytes += first == 0 ? embedding : 0;
        bytes += end == layers.length ? output : 0;
        return bytes - (isWhole && isTied ? embedding : 0);
    }
}
