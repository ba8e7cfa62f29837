package dev.yangtuo.benchmarks.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.util.Map;
import org.junit.jupiter.api.Test;

class ForcedKernelTest {
    private static final Map<String, Long> BEFORE = Map.of("portable", 7L, "fast", 3L);

    @Test
    void nameIsTheOneThatRuns() {
        try (ForcedKernel best = ForcedKernel.open(ForcedKernel.BEST, 0); ForcedKernel portable = ForcedKernel.open("portable", 3)) {
            assertThat(best.backend().name()).isEqualTo("native " + best.name());
            assertThat(best.backend().threads()).isEqualTo(Runtime.getRuntime().availableProcessors());
            assertThat(portable.name()).isEqualTo("portable");
            assertThat(portable.backend().threads()).isEqualTo(3);
            assertThatIllegalStateException().isThrownBy(portable::requireRan).withMessageContaining("kernels portable ran 0 times");
        }
    }

    @Test
    void kernelsThatWereAskedForRanAndNoOthers() {
        assertThatCode(() -> ForcedKernel.requireRan("fast", BEFORE, Map.of("portable", 7L, "fast", 4L))).doesNotThrowAnyException();
        assertThatIllegalStateException().isThrownBy(() -> ForcedKernel.requireRan("fast", BEFORE, BEFORE))
                .withMessage("kernels fast were asked for, and kernels fast ran 0 times");
        assertThatIllegalStateException().isThrownBy(() -> ForcedKernel.requireRan("fast", BEFORE, Map.of("portable", 9L, "fast", 4L)))
                .withMessage("kernels fast were asked for, and kernels portable ran 2 times");
    }
}
