package dev.yangtuo.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.junit.jupiter.api.Test;

class SamplesTest {
    @Test
    void statisticsAreTheTextbooks() {
        Samples samples = new Samples(List.of(2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0));
        assertThat(samples.mean()).isEqualTo(5.0);
        assertThat(samples.deviation()).isCloseTo(Math.sqrt(32 / 7.0), within(1e-12));
        assertThat(samples.median()).isEqualTo(4.5);
        assertThat(samples.least()).isEqualTo(2.0);
        assertThat(samples.most()).isEqualTo(9.0);
    }

    @Test
    void medianDoesNotDependOnTheOrder() {
        assertThat(new Samples(List.of(9.0, 1.0, 3.0)).median()).isEqualTo(3.0);
    }

    @Test
    void oneSampleDoesNotDeviate() {
        assertThat(new Samples(List.of(3.0)).deviation()).isZero();
        assertThatIllegalArgumentException().isThrownBy(() -> new Samples(List.of()));
    }
}
