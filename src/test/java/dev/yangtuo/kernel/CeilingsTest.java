package dev.yangtuo.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;

class CeilingsTest {
    @Test
    void whatTheMachineCanDoIsPositiveOrUnknown() {
        Ceilings ceilings = Ceilings.measure(1);
        assertThat(ceilings.readGbps()).isPositive();
        assertThat(Double.isNaN(ceilings.int8Tops())).isEqualTo(ceilings.int8Instruction().isEmpty());
        assertThat(Double.isNaN(ceilings.fmaTflops())).isEqualTo(ceilings.fmaInstruction().isEmpty());
        assertThat(ceilings.int8Tops() <= 0 || ceilings.fmaTflops() <= 0).isFalse();
    }

    @Test
    void theHigherOfTwoMeasurementsCounts() {
        Ceilings one = new Ceilings(10, 2, "a", 0.5, "b");
        Ceilings other = new Ceilings(12, 1, "a", Double.NaN, "b");
        assertThat(one.orHigher(other)).isEqualTo(new Ceilings(12, 2, "a", Double.NaN, "b"));
    }

    @Test
    void threadsAreBounded() {
        assertThatIllegalArgumentException().isThrownBy(() -> Ceilings.measure(0));
    }
}
