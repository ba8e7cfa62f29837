package dev.yangtuo.model;

import dev.yangtuo.kernel.Layer;
import dev.yangtuo.kernel.LayerWeights;
import dev.yangtuo.kernel.OutputLayer;
import dev.yangtuo.kernel.OutputWeights;
import dev.yangtuo.kernel.Projection;
import dev.yangtuo.kernel.WeightMatrix;
import java.util.List;

/**
 * The packed weights of a model; owns their memory.
 *
 * @param embedding {@code [vocabSize][dim]}
 * @param layers in the model's order
 * @param output the last norm and the output matrix, which may be {@code embedding} itself
 */
record ModelWeights(WeightMatrix embedding, List<Layer> layers, OutputLayer output) implements AutoCloseable {
    ModelWeights {
        layers = List.copyOf(layers);
    }

    /** Bytes of the packed matrices. */
    long byteSize() {
        long bytes = embedding.byteSize();
        OutputWeights end = output.weights();
        bytes += end.matrix() == embedding ? 0 : end.matrix().byteSize();
        for (Layer layer : layers) {
            for (Projection projection : layer.weights().projections()) {
                bytes += projection.weight().byteSize();
            }
        }
        return bytes;
    }

    @Override
    public void close() {
        try (var all = new CloseStack()) {
            all.push(embedding);
            all.push(output.weights().matrix());
            all.push(output.weights().norm());
            for (Layer layer : layers) {
                LayerWeights w = layer.weights();
                all.push(w.attentionNorm());
                all.push(w.ffnNorm());
                for (Projection projection : w.projections()) {
                    all.push(projection.weight());
                    if (projection.bias() != null) {
                        all.push(projection.bias());
                    }
                }
            }
        }
    }
}
