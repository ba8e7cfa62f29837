package dev.yangtuo.bench;

import static org.assertj.core.api.Assertions.assertThat;

import dev.yangtuo.bench.BenchTest.Kind;
import dev.yangtuo.model.ModelCosts;
import org.junit.jupiter.api.Test;

class WorkloadTest {
    /** 1000 bytes of layers with 2000 weights, 100 bytes of output with 300 weights, 10 bytes for a position. */
    private static final ModelCosts COSTS = new ModelCosts(1000, 100, 2000, 300, 10, "Q6_K");

    private static Workload of(Kind kind, int tokens, int depth, int sequences) {
        return Workload.of(new BenchTest(kind, tokens, depth, sequences), COSTS, 4);
    }

    @Test
    void generationReadsEverythingForEachToken() {
        // Positions that are looked at: 1, 2, 3.
        assertThat(of(Kind.GENERATION, 3, 0, 1)).isEqualTo(new Workload(3 * 1100 + 6 * 10, 2 * 3 * 2300));
        assertThat(of(Kind.GENERATION, 3, 50, 1)).isEqualTo(new Workload(3 * 1100 + 156 * 10, 2 * 3 * 2300));
    }

    @Test
    void sequencesShareTheWeightsButNotTheirPositions() {
        assertThat(of(Kind.GENERATION, 3, 0, 8)).isEqualTo(new Workload(3 * 1100 + 8 * 6 * 10, 8 * 2 * 3 * 2300));
    }

    @Test
    void promptReadsTheLayersForEachPassAndTheOutputOnce() {
        // Passes end at 4, 8 and 10.
        assertThat(of(Kind.PROMPT, 10, 0, 1)).isEqualTo(new Workload(3 * 1000 + 100 + 22 * 10, 2 * (10 * 2000 + 300)));
        assertThat(of(Kind.PROMPT, 4, 6, 1)).isEqualTo(new Workload(1000 + 100 + 10 * 10, 2 * (4 * 2000 + 300)));
    }
}
