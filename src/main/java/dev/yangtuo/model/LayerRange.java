package dev.yangtuo.model;

import dev.yangtuo.kernel.Backend;
import dev.yangtuo.kernel.Batch;
import dev.yangtuo.kernel.BatchCapacity;
import dev.yangtuo.kernel.DeviceFloats;
import dev.yangtuo.kernel.KvPool;
import dev.yangtuo.kernel.Layer;
import java.util.List;
import java.util.function.BooleanSupplier;

/**
 * Layers of a model that follow each other and lie on one backend, with what they compute in there. Most models have one range; others have one for each device, and
 * the residual stream goes from each to the next. Owns its buffers; weights, pool and backend are the model's.
 */
final class LayerRange implements AutoCloseable {
    private final Backend backend;
    private final List<Layer> layers;
    private final KvPool pool;
    private final Batch batch;
    /** The residual stream, float32 [columns][dim]. */
    private final DeviceFloats x;
    /** Queries, float32 [columns][qDim]. */
    private final DeviceFloats q;
    /** What the heads gathered, float32 [columns][qDim]. */
    private final DeviceFloats attention;
    /** Between gate/up and down, float32 [columns][hiddenDim]. */
    private final DeviceFloats hidden;

    /**
     * @param layers in the model's order; their indices count from the first of them
     * @param pool with as many layers
     */
    LayerRange(Backend backend, List<Layer> layers, KvPool pool, ModelConfig config, BatchCapacity capacity) {
        this.backend = backend;
        this.layers = List.copyOf(layers);
        this.pool = pool;
        long columns = capacity.columns();
        try (var undo = new CloseStack()) {
            batch = undo.push(backend.createBatch(capacity));
            x = undo.push(backend.createFloats(columns * config.dim()));
            q = undo.push(backend.createFloats(columns * config.qDim()));
            attention = undo.push(backend.createFloats(columns * config.qDim()));
            hidden = undo.push(backend.createFloats(columns * config.hiddenDim()));
            undo.keep();
        }
    }

    /** Float32 elements of the buffers. */
    static long bufferElements(ModelConfig config, long columns) {
        return columns * (config.dim() + 2L * config.qDim() + config.hiddenDim());
    }

    Backend backend() {
        return backend;
    }

    Batch batch() {
        return batch;
    }

    /** The residual stream: in front of the first layer until {@link #compute}, then behind the last one. */
    DeviceFloats x() {
        return x;
    }

    /** The layers, in order. False if it was not to go on. */
    boolean compute(BooleanSupplier goesOn) {
        for (int i = 0; i < layers.size(); i++) { // an iterator for each pass would be garbage
            Layer layer = layers.get(i);
            if (!goesOn.getAsBoolean()) {
                return false;
            }
            backend.qkvAttention(layer, batch, x, pool, q, attention);
            backend.attentionOutput(layer, batch, attention, x);
            backend.gateUp(layer, batch, x, hidden);
            backend.down(layer, batch, hidden, x);
        }
        return true;
    }

    @Override
    public void close() {
        try (var all = new CloseStack()) {
            all.push(batch);
            all.push(x);
            all.push(q);
            all.push(attention);
            all.push(hidden);
        }
    }
}
