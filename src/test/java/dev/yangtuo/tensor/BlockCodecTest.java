package dev.yangtuo.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

class BlockCodecTest {
    private static final long SEED = 20_250_102L;

    static Stream<TensorType> quantizedTypes() {
        return Arrays.stream(TensorType.values()).filter(TensorType::isQuantized);
    }

    @ParameterizedTest
    @MethodSource("quantizedTypes")
    void decodingGivesTheBitsOfGgml(TensorType type) {
        byte[] blocks = GoldenFiles.bytes(type + ".blocks");
        float[] expected = GoldenFiles.floats(type + ".f32");
        float[] actual = new float[blocks.length / type.blockBytes() * type.blockElements()];
        RowCodec.decodeRows(type, MemorySegment.ofArray(blocks), 0, 1, actual.length, actual, 0);
        assertThat(actual).hasSameSizeAs(expected);
        for (int i = 0; i < actual.length; i++) {
            // One NaN is as good as another.
            assertThat(Float.floatToIntBits(actual[i])).as("value %d: %s, GGML's %s", i, actual[i], expected[i]).isEqualTo(Float.floatToIntBits(expected[i]));
        }
    }

    @ParameterizedTest
    @MethodSource("quantizedTypes")
    void anyBytesAreUnpackedFromAnyOffset(TensorType type) {
        Random random = new Random(SEED);
        BlockCodec codec = BlockCodec.of(type);
        assertThat(codec.type()).isSameAs(type);
        int blocks = 64;
        byte[] bytes = new byte[blocks * type.blockBytes() + 3];
        random.nextBytes(bytes);
        int elements = blocks * type.blockElements();
        byte[] q = new byte[elements];
        float[] scales = new float[elements / codec.partElements()];
        float[] minimums = new float[scales.length];
        codec.unpack(bytes, 3, blocks, q, scales, minimums);
        float[] decoded = new float[elements];
        RowCodec.decodeRows(type, MemorySegment.ofArray(bytes), 3, 1, elements, decoded, 0);
        for (int i = 0; i < elements; i++) {
            int part = i / codec.partElements();
            float expected = codec.hasMinimums() ? scales[part] * q[i] - minimums[part] : scales[part] * q[i];
            assertThat(Float.floatToIntBits(decoded[i])).as("seed %d, value %d", SEED, i).isEqualTo(Float.floatToIntBits(expected));
        }
        if (!codec.hasMinimums()) {
            assertThat(minimums).containsOnly(0f);
        }
    }

    @ParameterizedTest
    @MethodSource("quantizedTypes")
    void firstBlockWithAScaleThatIsNotFiniteIsFoundExactlyWhereValuesAreNotFinite(TensorType type) {
        byte[] all = GoldenFiles.bytes(type + ".blocks");
        int blockBytes = type.blockBytes();
        int damaged = 0;
        for (int block = 0; block < all.length / blockBytes; block++) {
            byte[] one = Arrays.copyOfRange(all, block * blockBytes, (block + 1) * blockBytes);
            float[] values = new float[type.blockElements()];
            RowCodec.decodeRows(type, MemorySegment.ofArray(one), 0, 1, values.length, values, 0);
            boolean finite = true;
            for (float value : values) {
                finite &= Float.isFinite(value);
            }
            long found = BlockCodec.of(type).firstNotFinite(MemorySegment.ofArray(one));
            assertThat(found).as("block %d", block).isEqualTo(finite ? -1 : 0);
            damaged += finite ? 0 : 1;
        }
        assertThat(damaged).isPositive();
        byte[] late = Arrays.copyOf(new byte[0], 5 * blockBytes);
        Arrays.fill(late, 3 * blockBytes, 5 * blockBytes, (byte) 0xff);
        assertThat(BlockCodec.of(type).firstNotFinite(MemorySegment.ofArray(late))).isEqualTo(3);
        assertThat(BlockCodec.of(type).firstNotFinite(MemorySegment.ofArray(new byte[0]))).isEqualTo(-1);
    }

    @ParameterizedTest
    @EnumSource(value = TensorType.class, names = {"F32", "F16", "BF16"})
    void plainTypesHaveNoBlocks(TensorType type) {
        assertThatIllegalArgumentException().isThrownBy(() -> BlockCodec.of(type)).withMessageContaining(type.name());
    }

    @ParameterizedTest
    @EnumSource(value = TensorType.class, names = {"Q2_K", "Q3_K", "IQ4_NL", "IQ4_XS", "MXFP4"})
    void typesThatAreOnlyReadSaySoWhenWritten(TensorType type) {
        assertThat(type.canEncode()).isFalse();
        assertThatIllegalArgumentException()
                .isThrownBy(() -> RowCodec.encodeRows(type, new float[256], 0, 1, 256, MemorySegment.ofArray(new byte[1024]), 0))
                .withMessageContaining(type.name())
                .withMessageContaining("can be read, but not written; types that can be: F32, F16, BF16, Q4_0")
                .withMessageNotContaining("MXFP4,");
    }
}
