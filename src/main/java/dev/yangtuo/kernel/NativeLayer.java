package dev.yangtuo.kernel;

import dev.yangtuo.bindings.yt_layer;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The weights of a layer as the native library's struct, filled once. */
record NativeLayer(LayerWeights weights, List<Projection> projections, MemorySegment struct) implements Layer {
    static NativeLayer of(LayerWeights weights) {
        MemorySegment struct = yt_layer.allocate(Arena.ofAuto());
        yt_layer.index(struct, weights.index());
        yt_layer.n_heads(struct, weights.nHeads());
        yt_layer.n_kv_heads(struct, weights.nKvHeads());
        yt_layer.head_dim(struct, weights.headDim());
        yt_layer.norm_eps(struct, weights.normEps());
        yt_layer.attention_norm(struct, address(weights.attentionNorm()));
        yt_layer.wq(struct, address(weights.q().weight()));
        yt_layer.wk(struct, address(weights.k().weight()));
        yt_layer.wv(struct, address(weights.v().weight()));
        yt_layer.wo(struct, address(weights.o().weight()));
        yt_layer.ffn_norm(struct, address(weights.ffnNorm()));
        yt_layer.w_gate(struct, address(weights.gate().weight()));
        yt_layer.w_up(struct, address(weights.up().weight()));
        yt_layer.w_down(struct, address(weights.down().weight()));
        yt_layer.q_bias(struct, address(weights.q().bias()));
        yt_layer.k_bias(struct, address(weights.k().bias()));
        yt_layer.v_bias(struct, address(weights.v().bias()));
        yt_layer.o_bias(struct, address(weights.o().bias()));
        yt_layer.gate_bias(struct, address(weights.gate().bias()));
        yt_layer.up_bias(struct, address(weights.up().bias()));
        yt_layer.down_bias(struct, address(weights.down().bias()));
        yt_layer.window(struct, weights.window());
        return new NativeLayer(weights, weights.projections(), struct);
    }

    /** The library's address of some memory; NULL for none. */
    private static MemorySegment address(@Nullable DeviceFloats floats) {
        return floats == null ? MemorySegment.NULL : ((NativeFloats) floats).address();
    }

    private static MemorySegment address(WeightMatrix matrix) {
        return ((NativeMatrix) matrix).address();
    }

    /**
     * The struct, if everything that it points to is still there.
     *
     * @throws IllegalStateException if a matrix, a bias or a norm was closed
     */
    MemorySegment checkedStruct() {
        address(weights.attentionNorm());
        address(weights.ffnNorm());
        for (Projection projection : projections) {
            address(projection.weight());
            address(projection.bias());
        }
        return struct;
    }
}
