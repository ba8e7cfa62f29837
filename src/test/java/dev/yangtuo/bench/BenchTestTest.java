package dev.yangtuo.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.yangtuo.bench.BenchTest.Kind;
import java.util.List;
import org.junit.jupiter.api.Test;

class BenchTestTest {
    @Test
    void namesAreLlamaBenchs() {
        assertThat(new BenchTest(Kind.PROMPT, 512, 0, 1).name()).isEqualTo("pp512");
        assertThat(new BenchTest(Kind.PROMPT, 512, 3500, 1).name()).isEqualTo("pp512@d3500");
        assertThat(new BenchTest(Kind.GENERATION, 128, 0, 1).name()).isEqualTo("tg128");
        assertThat(new BenchTest(Kind.GENERATION, 128, 0, 8).name()).isEqualTo("tg128 x8");
        assertThat(new BenchTest(Kind.GENERATION, 128, 3500, 8).name()).isEqualTo("tg128@d3500 x8");
    }

    @Test
    void everyCombinationIsRunOnce() {
        assertThat(BenchTest.all(List.of(512, 64), List.of(128), List.of(0, 100), List.of(1, 8)).stream().map(BenchTest::name)).containsExactly(
                "pp512", "pp64", "tg128", "tg128 x8", "pp512@d100", "pp64@d100", "tg128@d100", "tg128@d100 x8");
        assertThat(BenchTest.all(List.of(16, 16), List.of(0), List.of(0), List.of(1)).stream().map(BenchTest::name)).containsExactly("pp16");
    }

    @Test
    void zeroLeavesATestOut() {
        assertThat(BenchTest.all(List.of(0), List.of(4), List.of(0), List.of(2)).stream().map(BenchTest::name)).containsExactly("tg4 x2");
        assertThatIllegalArgumentException().isThrownBy(() -> BenchTest.all(List.of(0), List.of(0), List.of(0), List.of(1))).withMessageContaining("nothing to measure");
    }

    @Test
    void valuesOutOfRangeAreNamed() {
        assertThatIllegalArgumentException().isThrownBy(() -> new BenchTest(Kind.PROMPT, -1, 0, 1)).withMessageContaining("tokens is -1");
        assertThatIllegalArgumentException().isThrownBy(() -> new BenchTest(Kind.PROMPT, 1, -2, 1)).withMessageContaining("depth is -2");
        assertThatIllegalArgumentException().isThrownBy(() -> new BenchTest(Kind.GENERATION, 1, 0, 257)).withMessageContaining("1 to 256");
        assertThatIllegalArgumentException().isThrownBy(() -> new BenchTest(Kind.PROMPT, 1, 0, 2)).withMessageContaining("sequences is 2");
    }
}
