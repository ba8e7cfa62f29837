package dev.yangtuo.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.yangtuo.inspect.Inspection.StoredTensor;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Tensors of all layers stand on one line, those of another type or shape on another. */
class TensorPatternsTest {
    private static StoredTensor tensor(String name, String type, long... shape) {
        return new StoredTensor(name, type, true, Arrays.stream(shape).boxed().toList(), 10, Path.of("f"), 0);
    }

    private static List<String> shown(StoredTensor... tensors) {
        return TensorPatterns.of(List.of(tensors)).stream()
                .map(pattern -> "%s [%s] %d %s %d".formatted(pattern.name(), pattern.layerRanges(), pattern.count(), pattern.type(), pattern.bytes()))
                .toList();
    }

    @Test
    void layersArePutTogether() {
        assertThat(shown(tensor("a.weight", "F32", 2), tensor("blk.0.q", "F16", 2), tensor("blk.1.q", "F16", 2), tensor("blk.3.q", "F16", 2),
                tensor("b.weight", "F32", 2))).containsExactly(
                        "a.weight [] 1 F32 10", "blk.N.q [0-1, 3] 3 F16 30", "b.weight [] 1 F32 10");
    }

    @Test
    void typesAndShapesAreKeptApartBesideEachOther() {
        assertThat(shown(tensor("blk.0.v", "Q6_K", 2), tensor("blk.0.q", "Q4_K", 2), tensor("blk.1.v", "Q4_K", 2), tensor("blk.2.v", "Q6_K", 2),
                tensor("blk.3.v", "Q6_K", 4))).containsExactly(
                        "blk.N.v [0, 2] 2 Q6_K 20", "blk.N.v [1] 1 Q4_K 10", "blk.N.v [3] 1 Q6_K 10", "blk.N.q [0] 1 Q4_K 10");
    }

    @Test
    void expertsArePutTogether() {
        assertThat(shown(tensor("layers.0.experts.0.w", "F16", 2), tensor("layers.0.experts.1.w", "F16", 2))).containsExactly(
                "layers.N.experts.M.w [0] 2 F16 20");
    }

    @Test
    void whatIsNoNumberOfALayerStays() {
        assertThat(shown(tensor("blk.99999999999999999999.q", "F16", 2), tensor("..", "F16", 2), tensor("blk.٣.q", "F16", 2)))
                .containsExactly("blk.99999999999999999999.q [] 1 F16 10", ".. [] 1 F16 10", "blk.٣.q [] 1 F16 10");
    }

    @Test
    void theCommonBeginningEndsAtADot() {
        assertThat(TensorPatterns.commonPrefix(TensorPatterns.of(Stream.of("base.model.a.x", "base.model.ab").map(name -> tensor(name, "F16", 2)).toList())))
                .isEqualTo("base.model.");
        assertThat(TensorPatterns.commonPrefix(TensorPatterns.of(List.of(tensor("base.a", "F16", 2))))).isEmpty();
    }
}
