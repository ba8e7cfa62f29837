package dev.yangtuo.model;

import dev.yangtuo.kernel.KvShape;
import dev.yangtuo.kernel.Layer;
import dev.yangtuo.kernel.Projection;
import dev.yangtuo.kernel.WeightMatrix;
import dev.yangtuo.tensor.TensorType;

/**
 * What a forward pass of a model reads and computes. Norms and biases do not count: they are less than a thousandth.
 *
 * @param layerBytes of the packed projections of all layers
 * @param outputBytes of the packed output matrix, which may be the embedding
 * @param layerWeights elements of the projections of all layers
 * @param outputWeights elements of the output matrix
 * @param keyValueBytes keys and values of one position in all layers
 * @param outputType type of the output matrix, in capitals: {@code Q6_K}
 */
public record ModelCosts(
        long layerBytes, long outputBytes, long layerWeights, long outputWeights, long keyValueBytes, String outputType) {

    static ModelCosts of(ModelConfig config, ModelWeights weights, TensorType kvType) {
        long bytes = 0;
        long elements = 0;
        for (Layer layer : weights.layers()) {
            for (Projection projection : layer.weights().projections()) {
                WeightMatrix matrix = projection.weight();
                bytes += matrix.byteSize();
                elements += matrix.rows() * matrix.columns();
            }
        }
        WeightMatrix output = weights.output().weights().matrix();
        return new ModelCosts(bytes, output.byteSize(), elements, output.rows() * output.columns(), keyValueBytes(config, kvType), output.type().name());
    }

    /** Bytes of keys and values of one position in all layers. */
    public static long keyValueBytes(ModelConfig config, TensorType kvType) {
        return KvShape.positionBytes(kvType, config.headDim()) * config.nKvHeads() * config.nLayers();
    }
}
