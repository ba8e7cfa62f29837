package dev.yangtuo.benchmarks.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.util.List;
import org.junit.jupiter.api.Test;

class SamplesAndShapesTest {
    @Test
    void samplesHaveTheFirstAndTheLast() {
        assertThat(Reference.sample(3, 5)).containsExactly(0, 1, 2);
        assertThat(Reference.sample(101, 5)).containsExactly(0, 25, 50, 75, 100);
        assertThat(Reference.sample(Integer.MAX_VALUE, 2)).containsExactly(0, Integer.MAX_VALUE - 1);
    }

    @Test
    void bitsAreCompared() {
        Reference.requireSame("x", new float[] {1, Float.NaN}, new float[] {1, Float.NaN});
        assertThatIllegalStateException().isThrownBy(() -> Reference.requireSame("x", new float[] {1, 0f}, new float[] {1, -0f}))
                .withMessage("x: element 1 of 2 is 0.0, the reference has -0.0; expected the same bits, nothing is timed");
        assertThatIllegalStateException().isThrownBy(() -> Reference.requireSame("x", new float[] {1}, new float[] {1, 2}))
                .withMessageContaining("element 1 of 2 is missing, the reference has 2.0");
    }

    @Test
    void shapesAreRead() {
        assertThat(MatrixShape.parse("49953x2048")).isEqualTo(new MatrixShape(49953, 2048));
        assertThat(HeadShape.parse("32x4x64")).isEqualTo(new HeadShape(32, 4, 64));
        for (String wrong : List.of("", "1", "1x", "x1", "0x1", "1x2x3x4", "-1x2", "12345678x1", "1 x 2")) {
            assertThatIllegalArgumentException().isThrownBy(() -> MatrixShape.parse(wrong)).withMessageStartingWith("shape " + wrong + ": expected");
            assertThatIllegalArgumentException().isThrownBy(() -> HeadShape.parse(wrong)).withMessageStartingWith("heads " + wrong + ": expected");
        }
        MatrixShape.NAMES.forEach(MatrixShape::parse);
    }
}
