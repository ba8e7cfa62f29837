package dev.yangtuo.model;

import dev.yangtuo.kernel.Layer;
import dev.yangtuo.kernel.LayerWeights;
import dev.yangtuo.kernel.OutputLayer;
import dev.yangtuo.kernel.OutputWeights;
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
            LayerWeights w = layer.weights();
            for (WeightMatrix matrix : List.of(w.wq(), w.wk(), w.wv(), w.wo(), w.wGate(), w.wUp(), w.wDown())) {
                bytes += matrix.byteSize();
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
                all.push(w.wq());
                all.push(w.wk());
                all.push(w.wv());
                all.push(w.wo());
                all.push(w.ffnNorm());
                all.push(w.wGate());
                all.push(w.wUp());
                all.push(w.wDown());
            }
        }
    }
}
