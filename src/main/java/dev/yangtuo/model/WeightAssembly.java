package dev.yangtuo.model;

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
    private final Placement placement;

    WeightAssembly(MergedModel merged, Placement placement) {
        this.merged = merged;
        this.config = merged.config();
        this.placement = placement;
    }

    /** Asks for all parameters; closes those that it has got if one fails. */
    ModelWeights assemble(WeightSupplier supplier) {
        try (CloseStack undo = new CloseStack()) {
            WeightMatrix embedding = undo.push(supplier.matrix(merged.embedding(), placement.first()));
            List<Layer> layers = new ArrayList<>();
            for (int layer = 0; layer < config.nLayers(); layer++) {
                layers.add(placement.partOf(layer).backend().createLayer(layer(supplier, layer, undo)));
            }
            DeviceFloats norm = undo.push(supplier.vector(merged.norm(), placement.last()));
            WeightMatrix output = output(supplier, embedding);
            if (output != embedding) {
                undo.push(output);
            }
            OutputLayer end = placement.last().createOutputLayer(new OutputWeights(norm, output, config.normEps()));
            undo.keep();
            return new ModelWeights(embedding, layers, end);
        }
    }

    private WeightMatrix output(WeightSupplier supplier, WeightMatrix embedding) {
        MergedParameter ownOutput = merged.output();
        if (ownOutput != null) {
            return supplier.matrix(ownOutput, placement.last());
        }
        return placement.first() == placement.last() ? embedding : supplier.matrixAgain(merged.embedding(), placement.last());
    }

    private LayerWeights layer(WeightSupplier supplier, int layer, CloseStack undo) {
        Placement.Part part = placement.partOf(layer);
        Map<LayerParameter, WeightMatrix> matrices = new EnumMap<>(LayerParameter.class);
        Map<LayerParameter, DeviceFloats> vectors = new EnumMap<>(LayerParameter.class);
        for (LayerParameter kind : LayerParameter.values()) {
            MergedParameter parameter = merged.layer(layer, kind);
            if (parameter == null) {
                continue;
            }
            if (kind.isVector()) {
                vectors.put(kind, undo.push(supplier.vector(parameter, part.backend())));
            } else {
                matrices.put(kind, undo.push(supplier.matrix(parameter, part.backend())));
            }
        }
        return new LayerWeights(
                layer - part.first(),
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
