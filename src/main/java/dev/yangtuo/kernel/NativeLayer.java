package dev.yangtuo.kernel;

import dev.yangtuo.bindings.yt_layer;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** The weights of a layer as the native library's struct, filled once. */
record NativeLayer(LayerWeights weights, MemorySegment struct) implements Layer {
    static NativeLayer of(LayerWeights weights) {
        MemorySegment struct = yt_layer.allocate(Arena.ofAuto());
        yt_layer.index(struct, weights.index());
        yt_layer.n_heads(struct, weights.nHeads());
        yt_layer.n_kv_heads(struct, weights.nKvHeads());
        yt_layer.head_dim(struct, weights.headDim());
        yt_layer.norm_eps(struct, weights.normEps());
        yt_layer.attention_norm(struct, ((NativeFloats) weights.attentionNorm()).address());
        yt_layer.wq(struct, ((NativeMatrix) weights.wq()).address());
        yt_layer.wk(struct, ((NativeMatrix) weights.wk()).address());
        yt_layer.wv(struct, ((NativeMatrix) weights.wv()).address());
        yt_layer.wo(struct, ((NativeMatrix) weights.wo()).address());
        yt_layer.ffn_norm(struct, ((NativeFloats) weights.ffnNorm()).address());
        yt_layer.w_gate(struct, ((NativeMatrix) weights.wGate()).address());
        yt_layer.w_up(struct, ((NativeMatrix) weights.wUp()).address());
        yt_layer.w_down(struct, ((NativeMatrix) weights.wDown()).address());
        return new NativeLayer(weights, struct);
    }

    /**
     * The struct, if everything that it points to is still there.
     *
     * @throws IllegalStateException if a matrix or a norm was closed
     */
    MemorySegment checkedStruct() {
        ((NativeFloats) weights.attentionNorm()).address();
        ((NativeMatrix) weights.wq()).address();
        ((NativeMatrix) weights.wk()).address();
        ((NativeMatrix) weights.wv()).address();
        ((NativeMatrix) weights.wo()).address();
        ((NativeFloats) weights.ffnNorm()).address();
        ((NativeMatrix) weights.wGate()).address();
        ((NativeMatrix) weights.wUp()).address();
        ((NativeMatrix) weights.wDown()).address();
        return struct;
    }
}
