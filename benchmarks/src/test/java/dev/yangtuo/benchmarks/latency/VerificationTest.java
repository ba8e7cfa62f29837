package dev.yangtuo.benchmarks.latency;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class VerificationTest {
    private static final float[][] LOGITS = {{1, 2, 3}, {0, -1, 4}};

    @Test
    void divergenceIsThatOfProbabilities() {
        float[] even = {5, 5};
        float[] threeToOne = {(float) Math.log(3), 0};
        assertThat(Verification.divergence(even, even)).isZero();
        assertThat(Verification.divergence(even, threeToOne)).isEqualTo(0.5 * Math.log(0.5 / 0.75) + 0.5 * Math.log(0.5 / 0.25), within(1e-6));
        assertThat(Verification.divergence(threeToOne, even)).isEqualTo(0.75 * Math.log(0.75 / 0.5) + 0.25 * Math.log(0.25 / 0.5), within(1e-6));
    }

    @Test
    void aConstantAddedToLogitsIsNoDifference() {
        float[][] shifted = {{11, 12, 13}, {-7, -8, -3}};
        assertThat(Verification.requireNear(shifted, LOGITS, 1e-6)).contains("0.00000 nats on average of 2 tokens");
        assertThatIllegalStateException().isThrownBy(() -> Verification.requireSame(shifted, LOGITS)).withMessageContaining("logit 0 behind token 0 is 11.0");
    }

    @Test
    void anotherDistributionIsNoticed() {
        float[][] other = {{3, 2, 1}, {0, -1, 4}};
        assertThatIllegalStateException().isThrownBy(() -> Verification.requireNear(other, LOGITS, 0.5)).withMessageContaining("diverge by 0.57");
        float[][] broken = {{Float.NaN, 2, 1}, {0, -1, 4}};
        assertThatIllegalStateException().isThrownBy(() -> Verification.requireNear(broken, LOGITS, 0.5)).withMessageContaining("NaN");
    }
}
