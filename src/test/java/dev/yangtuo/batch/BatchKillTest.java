package dev.yangtuo.batch;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A batch that is killed with SIGKILL loses nothing and repeats nothing. System properties make it longer, as {@code benchmarks/batch-kill} does. */
class BatchKillTest {
    private static final String MODEL = System.getProperty("yangtuo.batch.model", "src/test/resources/models/tiny/base");
    private static final int REQUESTS = Integer.getInteger("yangtuo.batch.requests", 200);
    private static final int KILLS = Integer.getInteger("yangtuo.batch.kills", 3);
    private static final long SEED = Long.getLong("yangtuo.batch.seed", 20261128);

    @TempDir
    private Path folder;

    @ParameterizedTest
    @EnumSource(BatchOrder.class)
    void theOutputIsThatOfAnUndisturbedRun(BatchOrder order) throws Exception {
        int killed = new KilledBatch(folder, Path.of(MODEL), REQUESTS, SEED).run(order, KILLS);
        System.out.printf("%d requests in order of %s, seed %d: killed %d times while it was written%n", REQUESTS, order, SEED, killed);
        assertThat(killed).as("killed while it was written").isPositive();
    }
}
