package dev.yangtuo.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvFileSource;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RopeTest {
    private static final RopeScaling.Dynamic DYNAMIC = new RopeScaling.Dynamic(2, 2048);
    private static final int[] POSITIONS = {0, 1, 2, 63, 64, 511, 2047, 4095, 131_071};

    private static float[] angles(int headDim, RopeConfig config, int position, int length) {
        float[] angles = new float[headDim];
        Rope.of(headDim, config).fill(position, length, angles, 0);
        return angles;
    }

    private static float[] angles(int headDim, RopeConfig config, int position) {
        return angles(headDim, config, position, position + 1);
    }

    private static RopeScaling scaling(String name) {
        return switch (name) {
            case "linear" -> new RopeScaling.Linear(4);
            case "ntk" -> new RopeScaling.Ntk(4);
            case "dynamic" -> DYNAMIC;
            case "yarn" -> RopeScaling.Yarn.of(16, 4096);
            case "yarn-unusual" -> new RopeScaling.Yarn(4, 32_768, 1.25f, 24, 2, false);
            case "llama3" -> new RopeScaling.Llama3(8, 1, 4, 8192);
            default -> throw new IllegalArgumentException(name);
        };
    }

    /** Angles are float32: at position p they are off by up to p 2^-22, a handful of roundings, beside those of cosine and sine. */
    private static void assertAngle(float cosine, float sine, double expectedCosine, double expectedSine, double angle) {
        double tolerance = 1e-6 + angle * Math.scalb(1, -22);
        assertThat((double) cosine).isCloseTo(expectedCosine, within(tolerance));
        assertThat((double) sine).isCloseTo(expectedSine, within(tolerance));
    }

    /** {@code make.py} beside the file wrote it. */
    @ParameterizedTest
    @CsvFileSource(resources = "/rope/angles.csv", useHeadersInDisplayName = true)
    void scaledAnglesAreThoseOfThePublishedFormulas(
            String scaling, int headDim, float theta, int position, int length, int pair, double cosine, double sine) {
        float[] angles = angles(headDim, new RopeConfig(theta, scaling(scaling)), position, length);
        double unscaled = position * Math.pow(theta, -2.0 * pair / headDim);
        assertAngle(angles[2 * pair], angles[2 * pair + 1], cosine, sine, unscaled);
    }

    @ParameterizedTest
    @CsvSource({"2, 10000, 1", "32, 10000, 1", "128, 500000, 1", "64, 10000, 2.5", "18, 10000, 8"})
    void anglesAreThoseOfTheFormula(int headDim, float theta, float scale) {
        Rope rope = Rope.of(headDim, new RopeConfig(theta, new RopeScaling.Linear(scale)));
        float[] angles = new float[headDim + 2];
        for (int position : POSITIONS) {
            rope.fill(position, position + 1, angles, 1);
            for (int j = 0; j < headDim / 2; j++) {
                double angle = position / (double) scale * Math.pow(theta, -2.0 * j / headDim);
                assertAngle(angles[1 + 2 * j], angles[2 + 2 * j], Math.cos(angle), Math.sin(angle), angle);
            }
            assertThat(angles[0]).isZero();
            assertThat(angles[headDim + 1]).isZero();
        }
    }

    /** As the models were trained: each step in float32. */
    @ParameterizedTest
    @CsvSource({"2, 10000, 1", "64, 10000, 1", "80, 10000, 1", "128, 500000, 1", "128, 10000, 4", "128, 10000, 2.5"})
    void unscaledAndLinearAnglesHaveTheseBits(int headDim, float theta, float scale) {
        RopeConfig config = scale == 1 ? RopeConfig.plain(theta) : new RopeConfig(theta, new RopeScaling.Linear(scale));
        for (int position : POSITIONS) {
            float[] expected = new float[headDim];
            for (int j = 0; j < headDim / 2; j++) {
                float frequency = 1f / (float) StrictMath.pow(theta, (float) (2 * j) / headDim);
                float angle = position / scale * frequency;
                expected[2 * j] = (float) Math.cos(angle);
                expected[2 * j + 1] = (float) Math.sin(angle);
            }
            assertThat(angles(headDim, config, position)).isEqualTo(expected);
        }
    }

    @ParameterizedTest
    @CsvSource({"2", "4", "8"})
    void linearScalingIsThePositionDivided(int scale) {
        RopeConfig linear = new RopeConfig(10_000, new RopeScaling.Linear(scale));
        assertThat(angles(64, linear, scale * 100)).isEqualTo(angles(64, RopeConfig.plain(10_000), 100));
    }

    @Test
    void ntkIsALargerBase() {
        RopeConfig ntk = new RopeConfig(10_000, new RopeScaling.Ntk(4));
        RopeConfig plain = RopeConfig.plain(Rope.ntkTheta(10_000, 128, 4));
        assertThat(plain.theta()).isCloseTo(40_889.94f, within(0.01f)); // 10000 * 4^(128 / 126)
        assertThat(angles(128, ntk, 8191)).isEqualTo(angles(128, plain, 8191));
    }

    @Test
    void dynamicNtkDependsOnTheLengthBeyondTheOriginalContextOnly() {
        RopeConfig dynamic = new RopeConfig(10_000, DYNAMIC);
        RopeConfig plain = RopeConfig.plain(10_000);
        for (int length : new int[] {101, 1000, 2048}) {
            assertThat(angles(128, dynamic, 100, length)).as("length %d", length).isEqualTo(angles(128, plain, 100));
        }
        assertThat(angles(128, dynamic, 100, 2049)).isNotEqualTo(angles(128, plain, 100));
        // 2 * 4096 / 2048 - (2 - 1)
        assertThat(angles(128, dynamic, 100, 4096)).isEqualTo(angles(128, new RopeConfig(10_000, new RopeScaling.Ntk(3)), 100));
    }

    @Test
    void hugeFactorsGiveFiniteAngles() {
        for (float value : angles(4, new RopeConfig(Float.MAX_VALUE, new RopeScaling.Dynamic(Float.MAX_VALUE, 1)), 1_000_000)) {
            assertThat(value).isFinite();
        }
        for (float value : angles(64, new RopeConfig(1.0001f, RopeScaling.Yarn.of(1e30f, 1)), 1_000_000)) {
            assertThat(value).isFinite();
        }
    }

    @Test
    void yarnKeepsWhatTurnsOftenAndDividesWhatDoesNotTurn() {
        RopeConfig plain = RopeConfig.plain(10_000);
        RopeConfig yarn = new RopeConfig(10_000, new RopeScaling.Yarn(4, 4096, 1, 32, 1, true));
        RopeConfig linear = new RopeConfig(10_000, new RopeScaling.Linear(4));
        float[] actual = angles(128, yarn, 1000);
        assertThat(actual).startsWith(Arrays.copyOf(angles(128, plain, 1000), 2 * 20));
        assertThat(actual).endsWith(Arrays.copyOfRange(angles(128, linear, 1000), 2 * 46, 128));
        assertThat(angles(128, new RopeConfig(10_000, new RopeScaling.Yarn(1, 4096, 1, 32, 1, true)), 1000)).isEqualTo(angles(128, plain, 1000));
        // Contexts that no pair turns in, and that all pairs turn often in.
        assertThat(angles(128, new RopeConfig(10_000, new RopeScaling.Yarn(4, 1, 1, 32, 1, true)), 1000)).endsWith(Arrays.copyOfRange(
                angles(128, linear, 1000), 2, 128));
        assertThat(angles(16, new RopeConfig(2, new RopeScaling.Yarn(4, 1 << 30, 1, 32, 1, true)), 1000))
                .isEqualTo(angles(16, RopeConfig.plain(2), 1000));
    }

    @Test
    void factorsDivideTheFrequencies() {
        RopeConfig twice = new RopeConfig(10_000, new RopeScaling.Factors(Collections.nCopies(32, 2f)));
        assertThat(angles(64, twice, 200)).isEqualTo(angles(64, RopeConfig.plain(10_000), 100));
        RopeScaling.Llama3 llama3 = new RopeScaling.Llama3(32, 1, 4, 8192);
        RopeConfig listed = new RopeConfig(500_000, new RopeScaling.Factors(Rope.llama3Factors(64, 500_000, llama3)));
        assertThat(angles(64, listed, 99_999)).isEqualTo(angles(64, new RopeConfig(500_000, llama3), 99_999));
        assertThat(Rope.llama3Factors(64, 500_000, llama3)).startsWith(1f).endsWith(32f).isSorted();
    }

    @Test
    void scalingsSayHowFarTheyReach() {
        assertThat(RopeScaling.NONE.reach(2048)).isEqualTo(2048);
        assertThat(new RopeScaling.Linear(4).reach(2048)).isEqualTo(8192);
        assertThat(new RopeScaling.Ntk(2.5f).reach(2048)).isEqualTo(5120);
        assertThat(DYNAMIC.reach(2048)).isEqualTo(4096);
        assertThat(RopeScaling.Yarn.of(4, 4096).reach(32_768)).isEqualTo(32_768);
        assertThat(RopeScaling.Yarn.of(16, 4096).reach(4096)).isEqualTo(65_536);
        assertThat(new RopeScaling.Linear(1e30f).reach(2048)).isEqualTo(Integer.MAX_VALUE);
    }

    @ParameterizedTest
    @ValueSource(floats = {0, -1, 0.5f, Float.NaN, Float.POSITIVE_INFINITY})
    void factorsThatMakeNoSenseAreRefused(float factor) {
        List<Runnable> scalings = List.of(
                () -> new RopeScaling.Ntk(factor),
                () -> new RopeScaling.Dynamic(factor, 2048),
                () -> RopeScaling.Yarn.of(factor, 2048),
                () -> new RopeScaling.Llama3(factor, 1, 4, 8192));
        for (Runnable scaling : scalings) {
            assertThatIllegalArgumentException().isThrownBy(scaling::run).withMessageContaining("is " + factor).withMessageContaining("at least 1");
        }
    }

    @Test
    void whatDoesNotFitTheHeadsIsRefused() {
        assertThatIllegalArgumentException().isThrownBy(() -> new RopeConfig(10_000, new RopeScaling.Ntk(2)).requireFitting(2))
                .withMessageContaining("head_dim is 2");
        assertThatIllegalArgumentException().isThrownBy(() -> new RopeConfig(1e30f, new RopeScaling.Ntk(1e30f)).requireFitting(64))
                .withMessageContaining("too large");
        assertThatIllegalArgumentException().isThrownBy(() -> new RopeConfig(1, RopeScaling.Yarn.of(2, 2048)).requireFitting(64))
                .withMessageContaining("rope_theta is 1.0");
        assertThatIllegalArgumentException().isThrownBy(() -> new RopeConfig(10_000, new RopeScaling.Factors(List.of(1f, 2f))).requireFitting(64))
                .withMessageContaining("there are 2 RoPE frequency factors, must be 32");
    }
}
