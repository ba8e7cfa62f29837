package dev.yangtuo.kernel;

import dev.yangtuo.bindings.yt_output;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** The weights of the end of the model as the native library's struct, filled once. */
record NativeOutputLayer(OutputWeights weights, MemorySegment struct) implements OutputLayer {
    static NativeOutputLayer of(OutputWeights weights) {
        MemorySegment struct = yt_output.allocate(Arena.ofAuto());
        yt_output.norm(struct, ((NativeFloats) weights.norm()).address());
        yt_output.matrix(struct, ((NativeMatrix) weights.matrix()).address());
        yt_output.norm_eps(struct, weights.normEps());
        return new NativeOutputLayer(weights, struct);
    }

    /**
     * The struct, if everything that it points to is still there.
     *
     * @throws IllegalStateException if the matrix or the norm was closed
     */
    MemorySegment checkedStruct() {
        ((NativeFloats) weights.norm()).address();
        ((NativeMatrix) weights.matrix()).address();
        return struct;
    }
}
