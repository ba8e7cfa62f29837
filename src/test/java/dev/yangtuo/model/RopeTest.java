package dev.yangtuo.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RopeTest {
    /** Angles are float32: at position p they are off by up to p 2^-23, two roundings. */
    @ParameterizedTest
    @CsvSource({"2, 10000, 1", "32, 10000, 1", "128, 500000, 1", "64, 10000, 2.5", "18, 10000, 8"})
    void anglesAreThoseOfTheFormula(int headDim, float theta, float scale) {
        Rope rope = new Rope(headDim, theta, scale);
        float[] angles = new float[headDim + 2];
        for (int position : new int[] {0, 1, 2, 63, 64, 511, 4095, 131_071}) {
            rope.fill(position, angles, 1);
            for (int j = 0; j < headDim / 2; j++) {
                double angle = position / (double) scale * Math.pow(theta, -2.0 * j / headDim);
                double tolerance = 1e-6 + angle * Math.scalb(1, -22);
                assertThat((double) angles[1 + 2 * j]).as("cosine %d at %d", j, position).isCloseTo(Math.cos(angle), within(tolerance));
                assertThat((double) angles[2 + 2 * j]).as("sine %d at %d", j, position).isCloseTo(Math.sin(angle), within(tolerance));
            }
            assertThat(angles[0]).isZero();
            assertThat(angles[headDim + 1]).isZero();
        }
    }

    @ParameterizedTest
    @CsvSource({"2", "4", "8"})
    void linearScalingIsThePositionDivided(int scale) {
        float[] scaled = new float[64];
        float[] plain = new float[64];
        new Rope(64, 10_000, scale).fill(scale * 100, scaled, 0);
        new Rope(64, 10_000, 1).fill(100, plain, 0);
        assertThat(scaled).isEqualTo(plain);
    }
}
