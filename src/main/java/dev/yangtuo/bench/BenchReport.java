package dev.yangtuo.bench;

import dev.yangtuo.kernel.Ceilings;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Everything that a run found.
 *
 * @param machine that it ran on
 * @param ceilings of the machine, measured in the same run with the same threads; null where plain Java or a device computes
 * @param setup what was measured
 * @param results in the order of the tests
 * @param interrupted whether tests are missing because the user did not wait for them
 */
public record BenchReport(Machine machine, @Nullable Ceilings ceilings, Setup setup, List<TestResult> results, boolean interrupted) {
    /**
     * What was measured.
     *
     * @param version of Yangtuo
     * @param backend what computed, as {@code native avx512}
     * @param threads that computed
     * @param model its file, and those of its adapters
     * @param weightTypes types of its matrices, the most frequent first
     * @param weightBytes bytes of the packed matrices
     * @param outputType type of the output matrix
     * @param kvType type of keys and values
     * @param step tokens of a prompt in a forward pass
     * @param repeats runs that count
     */
    public record Setup(
            String version,
            String backend,
            int threads,
            String model,
            List<String> weightTypes,
            long weightBytes,
            String outputType,
            String kvType,
            int step,
            int repeats) {}

    /** Of the read bandwidth; NaN where it was not measured. */
    public double shareOfBandwidth(TestResult result) {
        return ceilings == null ? Double.NaN : result.gigabytesPerSecond() / ceilings.readGbps();
    }

    /** Of the peak of products of bytes, which is the ceiling of quantized types; NaN where it was not measured. */
    public double shareOfInt8Peak(TestResult result) {
        return ceilings == null ? Double.NaN : result.teraOperationsPerSecond() / ceilings.int8Tops();
    }

    /** Of the peak of float32 arithmetic, which is the ceiling of F32 and F16; NaN where it was not measured. */
    public double shareOfFmaPeak(TestResult result) {
        return ceilings == null ? Double.NaN : result.teraOperationsPerSecond() / ceilings.fmaTflops();
    }
}
