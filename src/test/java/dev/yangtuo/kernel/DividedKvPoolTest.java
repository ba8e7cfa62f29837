package dev.yangtuo.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.yangtuo.tensor.TensorType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Pages of several pools are those of one with all layers. */
class DividedKvPoolTest {
    private static final KvShape SHAPE = new KvShape(TensorType.F16, 16, 3, 5, 2, 8);

    @Test
    void aPageHasTheSameBytesHoweverTheLayersAreDivided() {
        try (NativeBackend backend = NativeBackend.open(1); Arena arena = Arena.ofConfined();
                KvPool whole = backend.createKvPool(SHAPE);
                KvPool divided = new DividedKvPool(List.of(backend.createKvPool(SHAPE.withLayers(2)), backend.createKvPool(SHAPE.withLayers(3))))) {
            assertThat(divided.shape()).isEqualTo(SHAPE);
            assertThat(divided.pageBytes()).isEqualTo(whole.pageBytes());
            MemorySegment page = arena.allocate(whole.pageBytes(), Long.BYTES);
            byte[] random = new byte[(int) page.byteSize()];
            new Random(1).nextBytes(random);
            MemorySegment.copy(random, 0, page, ValueLayout.JAVA_BYTE, 0, random.length);
            whole.uploadPage(1, page);
            divided.uploadPage(1, page);
            divided.copyPage(1, 2);
            whole.downloadPage(1, page);
            MemorySegment copied = arena.allocate(page.byteSize(), Long.BYTES);
            divided.downloadPage(2, copied);
            assertThat(copied.mismatch(page)).isEqualTo(-1);
        }
    }

    @Test
    void poolsOfOtherShapesAndOtherSizesAreRefused() {
        try (NativeBackend backend = NativeBackend.open(1); Arena arena = Arena.ofConfined(); KvPool one = backend.createKvPool(SHAPE);
                KvPool other = backend.createKvPool(new KvShape(TensorType.F16, 16, 4, 5, 2, 8));
                KvPool divided = new DividedKvPool(List.of(one))) {
            assertThatIllegalArgumentException().isThrownBy(() -> new DividedKvPool(List.of(one, other)));
            assertThatIllegalArgumentException().isThrownBy(() -> divided.downloadPage(0, arena.allocate(7)));
            assertThatIllegalArgumentException().isThrownBy(() -> divided.uploadPage(0, arena.allocate(divided.pageBytes() + 1)));
        }
    }
}
