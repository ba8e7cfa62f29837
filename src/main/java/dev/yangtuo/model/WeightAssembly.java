package dev.yangtuo.model;

import dev.yangtuo.kernel.Backend;
import dev.yangtuo.kernel.DeviceFloats;
import dev.yangtuo.kernel.Layer;
import dev.yangtuo.kernel.LayerWeights;
import dev.yangtuo.kernel.OutputLayer;
import dev.yangtuo.kernel.OutputWeights;
import dev.yangtuo.kernel.Projection;
import dev.yangtuo.kernel.WeightMatrix;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/** Puts the weights of a model together, parameter by parameter in the order of {@link MergedModel#forEach}. */
final class WeightAssembly {
    private final MergedModel merged;
    private final ModelConfig config;
    private final Backend backend;

    WeightAssembly(MergedModel merged, Backend backend) {
        this.merged = merged;
        this.config = merged.config();
        this.backend = backend;
    }

    /** Asks for all parameters; closes those that it has got if one fails. */
    ModelWeights assemble(WeightSupplier supplier) {
        try (CloseStack undo = new CloseStack()) {
            WeightMatrix embedding = undo.push(supplier.matrix(merged.embedding()));
            List<Layer> layers = new ArrayList<>();
            for (int layer = 0; layer < config.nLayers(); layer++) {
                layers.add(backend.createLayer(layer(supplier, layer, undo)));
            }
            DeviceFloats norm = undo.push(supplier.vector(merged.norm()));
            MergedParameter ownOutput = merged.output();
            WeightMatrix output = ownOutput == null ? embedding : undo.push(supplier.matrix(ownOutput));
            OutputLayer end = backend.createOutputLayer(new OutputWeights(norm, output, config.normEps()));
            undo.keep();
            return new ModelWeights(embedding, layers, end);
        }
    }

    private LayerWeights layer(WeightSupplier supplier, int layer, CloseStack undo) {
        Map<LayerParameter, WeightMatrix> matrices = new EnumMap<>(LayerParameter.class);
        Map<LayerParameter, DeviceFloats> vectors = new EnumMap<>(LayerParameter.class);
        for (LayerParameter kind : LayerParameter.values()) {
            MergedParameter parameter = merged.layer(layer, kind);
            if (parameter == null) {
                continue;
            }
            if (kind.isVector()) {
                vectors.put(kind, undo.push(supplier.vector(parameter)));
            } else {
                matrices.put(kind, undo.push(supplier.matrix(parameter)));
            }
        }
        return new LayerWeights(
                layer,
                config.nHeads(),
                config.nKvHeads(),
                config.headDim(),
                config.normEps(),
                vectors.get(LayerParameter.ATTENTION_NORM),
                new Projection(matrices.get(LayerParameter.Q), vectors.get(LayerParameter.Q_BIAS)),
                new Projection(matrices.get(LayerParameter.K), vectors.get(LayerParameter.K_BIAS)),
                new Projection(matrices.get(LayerParameter.V), vectors.get(LayerParameter.V_BIAS)),
                new Projection(matrices.get(LayerParameter.O), vectors.get(LayerParameter.O_BIAS)),
                vectors.get(LayerParameter.FFN_NORM),
                new Projection(matrices.get(LayerParameter.GATE), vectors.get(LayerParameter.GATE_BIAS)),
                new Projection(matrices.get(LayerParameter.UP), vectors.get(LayerParameter.UP_BIAS)),
                new Projection(matrices.get(LayerParameter.DOWN), vectors.get(LayerParameter.DOWN_BIAS)),
                config.windowOf(layer));
    }
}
