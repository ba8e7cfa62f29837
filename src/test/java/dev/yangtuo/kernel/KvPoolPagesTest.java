package dev.yangtuo.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.yangtuo.tensor.TensorType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Whole pages copied, read and written. */
class KvPoolPagesTest {
    private static final long SEED = 20_261_001;

    static Stream<Backend> backends() {
        return Stream.of(new ScalarBackend(1), NativeBackend.open(1));
    }

    private static byte[] random(long bytes) {
        byte[] result = new byte[Math.toIntExact(bytes)];
        new SplittableRandom(SEED).nextBytes(result);
        return result;
    }

    private static byte[] read(KvPool pool, int page, Arena arena) {
        MemorySegment target = arena.allocate(pool.pageBytes());
        pool.downloadPage(page, target);
        return target.toArray(ValueLayout.JAVA_BYTE);
    }

    @ParameterizedTest
    @MethodSource("backends")
    void pagesComeOutAsTheyWentIn(Backend backend) {
        try (backend; Arena arena = Arena.ofConfined(); KvPool pool = backend.createKvPool(new KvShape(TensorType.F16, 16, 3, 2, 2, 10))) {
            assertThat(pool.pageBytes()).isBetween(2L * 2 * 2 * 2 * 16 * 10, pool.shape().byteSize() / 3);
            byte[] bytes = random(pool.pageBytes());
            pool.uploadPage(1, arena.allocateFrom(ValueLayout.JAVA_BYTE, bytes));
            pool.copyPage(1, 2);
            pool.copyPage(2, 2);
            assertThat(read(pool, 2, arena)).as("seed %d", SEED).isEqualTo(bytes);
            assertThat(read(pool, 0, arena)).containsOnly(0);
            pool.copyPage(0, 1);
            assertThat(read(pool, 1, arena)).containsOnly(0);
            assertThat(read(pool, 2, arena)).as("a copy is its own").isEqualTo(bytes);
        }
    }

    /** What is computed before a pool is made is what it takes. */
    @Test
    void nativePagesHaveTheComputedSize() {
        try (Backend backend = NativeBackend.open(1)) {
            for (TensorType type : KvShape.TYPES) {
                for (int headDim : new int[] {2, 10, 24, 32, 34, 64, 80, 96, 112, 128, 130, 256, 1024}) {
                    KvShape shape = new KvShape(type, 48, 2, 3, 2, headDim);
                    try (KvPool pool = backend.createKvPool(shape)) {
                        assertThat(pool.pageBytes() * 2).as("%s, %d", type, headDim).isEqualTo(shape.byteSize());
                    }
                }
            }
            assertThat(KvShape.positionBytes(TensorType.Q8_0, 64)).isEqualTo(2 * TensorType.Q8_0.rowBytes(64));
            assertThat(KvShape.positionBytes(TensorType.Q4_0, 128)).isEqualTo(2 * TensorType.Q4_0.rowBytes(128));
        }
    }

    @ParameterizedTest
    @MethodSource("backends")
    void whatIsNoPageIsRefused(Backend backend) {
        try (backend; Arena arena = Arena.ofConfined()) {
            KvPool pool = backend.createKvPool(new KvShape(TensorType.F32, 16, 2, 1, 1, 16));
            MemorySegment page = arena.allocate(pool.pageBytes());
            for (int outside : new int[] {-1, 2, Integer.MAX_VALUE, Integer.MIN_VALUE}) {
                assertThatIllegalArgumentException().isThrownBy(() -> pool.copyPage(outside, 0)).withMessageContaining("page " + outside);
                assertThatIllegalArgumentException().isThrownBy(() -> pool.copyPage(0, outside)).withMessageContaining("page " + outside);
                assertThatIllegalArgumentException().isThrownBy(() -> pool.downloadPage(outside, page));
                assertThatIllegalArgumentException().isThrownBy(() -> pool.uploadPage(outside, page));
            }
            MemorySegment tooShort = page.asSlice(1);
            assertThatIllegalArgumentException().isThrownBy(() -> pool.downloadPage(0, tooShort)).withMessageContaining("bytes");
            assertThatIllegalArgumentException().isThrownBy(() -> pool.uploadPage(0, tooShort)).withMessageContaining("bytes");
            pool.close();
            assertThatIllegalStateException().isThrownBy(() -> pool.copyPage(0, 1));
            assertThatIllegalStateException().isThrownBy(() -> pool.downloadPage(0, page));
            assertThatIllegalStateException().isThrownBy(() -> pool.uploadPage(0, page));
            assertThatIllegalStateException().isThrownBy(pool::pageBytes);
        }
    }
}
