package dev.yangtuo.benchmarks.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.yangtuo.kernel.NativeBackend;
import dev.yangtuo.kernel.WeightMatrix;
import dev.yangtuo.tensor.TensorType;
import java.lang.foreign.Arena;
import java.util.Collection;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

class MatmulBenchmarkTest {
    private static MatmulBenchmark.Prepared prepared(String kernel, TensorType type, String shape, int columns) {
        MatmulBenchmark.Prepared prepared = new MatmulBenchmark.Prepared();
        prepared.kernel = kernel;
        prepared.type = type;
        prepared.shape = shape;
        prepared.columns = columns;
        prepared.threads = 2;
        prepared.weightBytes = 1 << 17;
        return prepared;
    }

    @ParameterizedTest
    @EnumSource
    void everyKernelIsVerifiedWithEveryType(TensorType type) {
        for (String kernel : NativeBackend.kernelNames().stream().filter(NativeBackend::isSupported).toList()) {
            for (int columns : List.of(1, 20)) {
                MatmulBenchmark.Prepared prepared = prepared(kernel, type, "307x512", columns);
                try {
                    prepared.build();
                    assertThat(prepared.verify()).as(kernel)
                            .isEqualTo("211 rows of %d columns have the bits of the reference", Math.min(columns, 13));
                } finally {
                    prepared.close();
                }
            }
        }
    }

    @Test
    void wrongWeightsAreNoticed() {
        MatmulBenchmark.Prepared prepared = prepared(ForcedKernel.BEST, TensorType.Q4_0, "307x512", 1);
        try (Arena arena = Arena.ofConfined()) {
            prepared.build();
            prepared.verify();
            WeightMatrix matrix = prepared.lastMatrix();
            matrix.upload(matrix.rows() - 1, 1, arena.allocate(TensorType.Q4_0.rowBytes(512)));
            assertThatIllegalStateException().isThrownBy(prepared::verify)
                    .withMessageContaining("Q4_0, 307x512, 1 columns: element 210 of 211").withMessageContaining("expected the same bits");
        } finally {
            prepared.close();
        }
    }

    @Test
    void whatCannotBeIsRefused() {
        assertThatIllegalArgumentException().isThrownBy(() -> prepared("no-such-kernel", TensorType.Q4_0, "16x32", 1).build())
                .withMessageContaining("kernel no-such-kernel: this library has [portable");
        assertThatIllegalArgumentException().isThrownBy(() -> prepared(ForcedKernel.BEST, TensorType.Q4_0, "16", 1).build())
                .withMessageContaining("shape 16: expected rows x columns");
    }

    @Test
    void resultsCarryBytesOperationsAndTheKernel() throws RunnerException {
        Collection<RunResult> results = new Runner(new OptionsBuilder()
                .include("MatmulBenchmark.product").forks(0).warmupIterations(0).measurementIterations(1).measurementTime(TimeValue.milliseconds(50))
                .param("kernel", "portable").param("type", "F32").param("shape", "2048x4096").param("columns", "1").param("threads", "2")
                .shouldFailOnError(true).verbosity(VerboseMode.SILENT).build()).run();
        RunResult result = results.iterator().next();
        assertThat(result.getParams().getParam("kernel")).isEqualTo("portable");
        double perSecond = result.getPrimaryResult().getScore();
        double gigabytes = result.getSecondaryResults().get("gigabytes").getScore();
        double gigaops = result.getSecondaryResults().get("gigaops").getScore();
        assertThat(gigabytes / perSecond).isBetween(0.99 * 4 * 2048 * 4096 / 1e9, 1.01 * 4 * 2048 * 4096 / 1e9);
        assertThat(gigaops / perSecond).isBetween(0.99 * 2 * 2048 * 4096 / 1e9, 1.01 * 2 * 2048 * 4096 / 1e9);
    }
}
