package dev.yangtuo.benchmarks.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.entry;

import dev.yangtuo.WeightType;
import dev.yangtuo.bench.BenchTest;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CompareOptionsTest {
    private static CompareOptions parse(String... more) {
        String[] all = new String[more.length + 2];
        all[0] = "--yangtuo";
        all[1] = "/y";
        System.arraycopy(more, 0, all, 2, more.length);
        return CompareOptions.parse(all);
    }

    @Test
    void peersHaveProgramsForOneSequenceAndForSeveral() {
        CompareOptions options = parse("--peer", "a=/x/llama-bench", "--peer-args", "a=-fa 1  -rtr 1", "--batched-peer", "a=/x/batched", "--batched-peer", "b=/z/batched");
        assertThat(options.competitors()).containsExactly(
                new Competitor("yangtuo", own(), own()),
                new Competitor("a", new Program(Program.Kind.LLAMA_BENCH, Path.of("/x/llama-bench"), List.of("-fa", "1", "-rtr", "1")),
                        new Program(Program.Kind.LLAMA_BATCHED_BENCH, Path.of("/x/batched"), List.of())),
                new Competitor("b", null, new Program(Program.Kind.LLAMA_BATCHED_BENCH, Path.of("/z/batched"), List.of())));
        BenchTest together = TestNames.parse("tg128x8").getFirst();
        assertThat(options.competitors().get(1).programFor(together)).isEqualTo(options.competitors().get(1).batched());
        assertThat(options.competitors().get(2).programFor(TestNames.parse("tg128").getFirst())).isNull();
    }

    @Test
    void ourOwnBenchIsAPeerWithOtherOptions() {
        CompareOptions options = parse("--yangtuo-args", "--device cuda", "--yangtuo-peer", "llama.cpp=--engine llama.cpp");
        assertThat(options.competitors()).extracting(Competitor::name).containsExactly("yangtuo", "llama.cpp");
        assertThat(options.competitors().get(1).single()).isEqualTo(new Program(Program.Kind.YANGTUO, Path.of("/y"), List.of("--engine", "llama.cpp")));
        assertThat(options.competitors().get(1).batched()).isEqualTo(options.competitors().get(1).single());
    }

    @Test
    void ceilingsAreGivenByName() {
        assertThat(parse("--ceiling", "read_gbps=3350", "--ceiling", "int8_tops=1979.5").ceilings()).containsExactly(entry("read_gbps", 3350.0), entry("int8_tops", 1979.5));
    }

    private static Program own() {
        return new Program(Program.Kind.YANGTUO, Path.of("/y"), List.of());
    }

    @Test
    void typesAreThoseOfMadeUpModels() {
        assertThat(parse().types()).containsExactly(WeightType.Q4_0);
        assertThat(parse("--types", "Q8_0, q4_k_m").types()).containsExactly(WeightType.Q8_0, WeightType.Q4_K_M);
        assertThat(parse("--model", "pom.xml").types()).as("a file is enough").isEmpty();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "--peer | a | expected NAME=VALUE",
        "--peer | =x | expected NAME=VALUE",
        "--peer | yangtuo=x | our own name",
        "--peer-args | a=-x | no program of that name",
        "--yangtuo-peer | yangtuo=-x | the name is taken",
        "--ceiling | fast=1 | no such ceiling",
        "--ceiling | read_gbps=0 | above 0",
        "--ceiling | read_gbps=x | above 0",
        "--model | /no/such | /no/such: there is no such file",
        "--types | q9 | 'q9'",
        "--shape | 2b | '2b' is not a shape",
        "--tests | pp | 'pp' is not a test",
        "--rounds | 0 | --rounds 0",
        "--frob | x | --frob"
    })
    void wrongUsageIsNamed(String option, String value, String said) {
        assertThatIllegalArgumentException().isThrownBy(() -> parse(option, value)).withMessageContaining(said);
    }
}
