package dev.yangtuo.batch;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A batch that is killed with SIGKILL loses nothing and repeats nothing. {@code benchmarks/batch-kill} does the same for longer. */
class BatchKillTest {
    @TempDir
    private Path folder;

    @ParameterizedTest
    @EnumSource(BatchOrder.class)
    void theOutputIsThatOfAnUndisturbedRun(BatchOrder order) throws Exception {
        KilledBatch batch = new KilledBatch(folder, Path.of("src/test/resources/models/tiny/base"), 200, 20261128);
        assertThat(batch.run(order, 3)).as("killed while it was written").isPositive();
    }
}
