package dev.yangtuo.benchmarks.latency;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.yangtuo.WeightType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SuiteOptionsTest {
    @TempDir
    private Path folder;

    private static SuiteOptions parse(String... arguments) {
        return SuiteOptions.parse(arguments);
    }

    @Test
    void withoutArgumentsEverythingIsMeasured() {
        SuiteOptions options = parse();
        assertThat(options.engines()).containsExactly(EngineName.values());
        assertThat(options.measures()).containsExactlyInAnyOrder(Measure.values());
        assertThat(options.types()).containsExactly(WeightType.F16, WeightType.Q4_0);
        assertThat(options.models()).isEmpty();
        assertThat(options.enginePath()).isEmpty();
        assertThat(options.threads()).isEqualTo(Runtime.getRuntime().availableProcessors());
        assertThat(options.quick()).isFalse();
        assertThat(options.output()).isAbsolute().endsWithRaw(Path.of("benchmarks/results/latency.json"));
    }

    @Test
    void argumentsSayWhatElse() throws IOException {
        Path model = Files.createFile(folder.resolve("m.gguf"));
        SuiteOptions options = parse("--quick", "--engines", "llama.cpp, yangtuo", "--measures", "load,next-token", "--types", "none", "--model", model.toString(),
                "--threads", "1", "--engine-path", "/opt/llama", "--output", folder.resolve("r.json").toString(), "--resume");
        assertThat(options.engines()).containsExactly(EngineName.LLAMA_CPP, EngineName.YANGTUO);
        assertThat(options.measures()).containsExactlyInAnyOrder(Measure.LOAD, Measure.NEXT_TOKEN);
        assertThat(options.types()).isEmpty();
        assertThat(options.models()).containsExactly(model);
        assertThat(options.enginePath()).contains(Path.of("/opt/llama"));
        assertThat(options.threads()).isEqualTo(1);
        assertThat(options.quick()).isTrue();
        assertThat(options.resume()).isTrue();
        assertThat(options.output()).isEqualTo(folder.resolve("r.json"));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "--engines | ik | 'ik' is not an engine; there are yangtuo, llama.cpp, jlama",
        "--measures | ttft | 'ttft' is not a measure; there are [first-token",
        "--types | q9 | 'q9'",
        "--model | /no/such.gguf | /no/such.gguf: expected a GGUF file that is there",
        "--threads | 0 | --threads 0",
        "--threads | 9999 | processors",
        "--frob | x | --frob: expected one of [--engine-path",
        "--quick | x | 'x': expected options only"
    })
    void wrongUsageIsNamed(String option, String value, String said) {
        assertThatIllegalArgumentException().isThrownBy(() -> parse(option, value)).withMessageContaining(said);
    }

    @Test
    void enginesTakeTurns() {
        List<SuiteCase> cases = SuitePlan.of(parse("--types", "f16", "--measures", "first-token,next-token"));
        assertThat(cases).extracting(SuiteCase::describe).startsWith(
                "first-token yangtuo demo-f16 prompt=32", "first-token llama.cpp demo-f16 prompt=32", "first-token jlama demo-f16 prompt=32",
                "first-token yangtuo demo-f16 prompt=512");
        assertThat(cases).hasSize(3 * (3 + 3));
        assertThat(cases).allSatisfy(each -> assertThat(each.hidden()).containsEntry("model", "demo:f16")
                .containsEntry("threads", Integer.toString(Runtime.getRuntime().availableProcessors())));
    }

    @Test
    void aFileHasNoAdapterAndFewerRepeats() throws IOException {
        Path model = Files.createFile(folder.resolve("1b-q4_0.gguf"));
        List<SuiteCase> cases = SuitePlan.of(parse("--types", "none", "--measures", "load,next-token", "--engines", "yangtuo", "--model", model.toString()));
        assertThat(cases).extracting(SuiteCase::describe).containsExactly(
                "load yangtuo 1b-q4_0 from=file", "next-token yangtuo 1b-q4_0 texts=1", "next-token yangtuo 1b-q4_0 texts=8", "next-token yangtuo 1b-q4_0 texts=32");
        assertThat(cases).allSatisfy(each -> assertThat(each.repeats()).isEqualTo(Repeats.LARGE));
    }

    @Test
    void quickRunsHaveEveryMeasureOnce() {
        List<SuiteCase> cases = SuitePlan.of(parse("--quick"));
        assertThat(cases).extracting(SuiteCase::measure).contains(Measure.values());
        assertThat(cases).allSatisfy(each -> assertThat(each.repeats()).isEqualTo(Repeats.QUICK));
    }
}
