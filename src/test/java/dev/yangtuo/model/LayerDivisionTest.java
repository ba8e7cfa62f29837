package dev.yangtuo.model;

import static org.assertj.core.api.Assertions.assertThat;

import dev.yangtuo.kernel.Device;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Layers go where their weights, keys and values have room. */
class LayerDivisionTest {
    /** Ten layers of 100 bytes, embedding 1000, output matrix 500, buffers 50, keys and values 1. */
    private static final ModelBytes BYTES = bytes(false);

    private static ModelBytes bytes(boolean isTied) {
        long[] layers = new long[10];
        Arrays.fill(layers, 100);
        return new ModelBytes(layers, 1000, isTied ? 1004 : 500, isTied, 50, 1);
    }

    private static Device device(int number, long freeBytes) {
        return new Device(number, "device", 89, 4, freeBytes, freeBytes, "");
    }

    private static List<String> parts(LayerDivision division) {
        return division.parts().stream().map(part -> "%s %d-%d".formatted(part.device() == null ? "cpu" : part.device().id(), part.first(), part.end())).toList();
    }

    @Test
    void theLastLayersAreOnTheDevice() {
        List<Device> one = List.of(device(0, 1600));
        assertThat(parts(LayerDivision.processor(BYTES))).containsExactly("cpu 0-10");
        assertThat(parts(LayerDivision.of(BYTES, one, 1))).containsExactly("cpu 0-9", "cuda:0 9-10");
        assertThat(parts(LayerDivision.of(BYTES, one, 10))).containsExactly("cuda:0 0-10");
        assertThat(parts(LayerDivision.of(BYTES, one, 99))).containsExactly("cuda:0 0-10");
    }

    @Test
    void severalDevicesShareByFreeMemory() {
        List<Device> devices = List.of(device(1, 3000), device(0, 1000));
        assertThat(parts(LayerDivision.of(BYTES, devices, 10))).containsExactly("cuda:1 0-8", "cuda:0 8-10");
        assertThat(parts(LayerDivision.of(BYTES, devices, 4))).containsExactly("cpu 0-6", "cuda:1 6-9", "cuda:0 9-10");
        assertThat(parts(LayerDivision.of(BYTES, devices, 1))).as("one has none").containsExactly("cpu 0-9", "cuda:1 9-10");
        assertThat(parts(LayerDivision.of(BYTES, List.of(device(0, 0), device(1, 8)), 10))).containsExactly("cuda:1 0-10");
        assertThat(parts(LayerDivision.of(BYTES, List.of(device(0, 0), device(1, 0)), 10))).containsExactly("cuda:1 0-10");
    }

    @Test
    void everythingOnADeviceCounts() {
        LayerDivision half = LayerDivision.of(BYTES, List.of(device(0, 1600)), 5);
        LayerDivision.Part part = half.parts().getLast();
        assertThat(half.weights(part)).isEqualTo(5 * 100 + 500);
        assertThat(half.weights(half.parts().getFirst())).isEqualTo(half.processorWeights()).isEqualTo(5 * 100 + 1000);
        assertThat(half.needed(part, 7)).isEqualTo(1000 + 50 + 7 * 5);
        // Of 1600 bytes a sixteenth is left.
        assertThat(half.devicePositions()).isEqualTo((1500 - 1050) / 5);
        assertThat(half.tooLarge(90)).isNull();
        assertThat(half.tooLarge(91)).isEqualTo(part);
        assertThat(half.shortage(part, 91)).contains("cuda:0", "5 of 10 layers", "91 tokens");
        assertThat(half.positions(4 * 5 * 60)).as("a quarter of the machine's memory is less").isEqualTo(60);
    }

    @Test
    void anEmbeddingThatIsTheOutputMatrixIsKeptOnBothSides() {
        ModelBytes tied = bytes(true);
        LayerDivision whole = LayerDivision.of(tied, List.of(device(0, 9000)), 10);
        assertThat(whole.hasTwoEmbeddings()).isFalse();
        assertThat(whole.weights(whole.parts().getFirst())).isEqualTo(10 * 100 + 1004);
        LayerDivision divided = LayerDivision.of(tied, List.of(device(0, 9000)), 4);
        assertThat(divided.hasTwoEmbeddings()).isTrue();
        assertThat(divided.parts().stream().mapToLong(divided::weights).sum()).isEqualTo(10 * 100 + 1000 + 1004);
        assertThat(LayerDivision.processor(tied).hasTwoEmbeddings()).isFalse();
    }
}
