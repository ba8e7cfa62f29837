package dev.yangtuo.kernel;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.yangtuo.tensor.RowCodec;
import dev.yangtuo.tensor.TensorType;
import java.lang.foreign.MemorySegment;
import java.util.SplittableRandom;

/** Blocks of a quantized type with every bit pattern that an encoder would and would not write, but with values of a sensible size. */
final class RandomBlocks {
    private static final float LARGEST = 2f;
    private static final float SMALLEST = 1e-3f;

    private RandomBlocks() {}

    /** Fills memory with whole blocks: random bytes, drawn again until the largest magnitude is between {@link #SMALLEST} and {@link #LARGEST}. */
    static void fill(TensorType type, MemorySegment target, SplittableRandom random) {
        byte[] block = new byte[type.blockBytes()];
        float[] values = new float[type.blockElements()];
        for (long at = 0; at < target.byteSize(); at += block.length) {
            float largest;
            do {
                random.nextBytes(block);
                MemorySegment.copy(block, 0, target, JAVA_BYTE, at, block.length);
                RowCodec.decodeRows(type, target, at, 1, values.length, values, 0);
                largest = 0f;
                for (float value : values) {
                    largest = Math.max(largest, Math.abs(value)); // NaN stays
                }
            } while (!(largest >= SMALLEST && largest <= LARGEST));
        }
    }
}
