package dev.yangtuo.benchmarks.compare;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.yangtuo.WeightType;
import dev.yangtuo.benchmarks.compare.Program.Kind;
import dev.yangtuo.model.SyntheticShape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ComparisonTest {
    private static final List<String> COMMAND = List.of("prog", "-m", "a b");

    @TempDir
    private Path directory;

    private final Comparison comparison = new Comparison(List.of("yangtuo", "one", "two"));
    private Comparison.Row row;

    private static ProgramOutput speeds(Double... speeds) {
        return new ProgramOutput(List.of(speeds), Map.of("version", "v" + speeds.length), Map.of());
    }

    @BeforeEach
    void measure() {
        row = comparison.addRow("1b-q4_0.gguf", TestNames.parse("tg128").getFirst());
        comparison.add(row, "yangtuo", COMMAND, new ProgramOutput(
                List.of(90.0, 110.0), Map.of("machine", "M", "system", "S"), Map.of("read_gbps", 40.0, "share_of_bandwidth", 0.9)));
        comparison.add(row, "one", COMMAND, speeds(50.0));
        comparison.fail(row, "two", COMMAND, "exit code 1: no\nsuch option");
        comparison.add(row, "yangtuo", COMMAND, new ProgramOutput(
                List.of(130.0), Map.of("machine", "M", "system", "S"), Map.of("read_gbps", 30.0, "share_of_bandwidth", 0.8)));
        comparison.add(row, "one", COMMAND, speeds(54.0, 40.0));
    }

    private CompareOptions options() {
        Program program = new Program(Kind.LLAMA_BENCH, Path.of("p"), List.of());
        return new CompareOptions(
                List.of(new Competitor("yangtuo", program, program), new Competitor("one", program, null), new Competitor("two", program, null)),
                List.of(), SyntheticShape.of("1b"), List.of(WeightType.Q4_0), Map.of(), TestNames.parse("tg128"), 2, 2, 1, directory.resolve("c"), 10);
    }

    @Test
    void ratiosAreOfMediansOverAllRounds() {
        assertThat(row.samples("yangtuo").median()).isEqualTo(110.0);
        assertThat(row.samples("one").median()).isEqualTo(50.0);
        assertThat(row.ratio("yangtuo", "one")).isEqualTo(2.2);
        assertThat(row.ratio("yangtuo", "two")).isNaN();
        assertThat(row.number("yangtuo", "share_of_bandwidth")).isEqualTo((0.9 + 0.8) / 2);
        assertThat(comparison.ceiling("read_gbps")).isEqualTo(35.0);
        assertThat(comparison.ceiling("int8_tops")).isNaN();
    }

    @Test
    void markdownHasATableAndSaysWhatFailed() {
        String text = new ComparisonText(comparison, options(), "benchmarks/compare --rounds 2").markdown();
        assertThat(text).contains(
                "- machine: M, S\n",
                "- one: v2\n",
                "`benchmarks/compare --rounds 2`",
                "| model | test | yangtuo | GB/s | of read bandwidth | of int8 peak | one | ratio | two | ratio |",
                "| 1b-q4_0.gguf | tg128 | 110.00 (90.00 to 130.00) | - | 85.0 % | - | 50.00 (40.00 to 54.00) | 2.20 | failed | - |",
                "- 1b-q4_0.gguf, tg128, two: exit code 1: no such option",
                "    prog -m 'a b'\n");
    }

    @Test
    void jsonHasEverySampleAndTheFailure() throws IOException {
        JsonNode root = new JsonMapper().readTree(ComparisonJson.of(comparison, options(), "c"));
        JsonNode programs = root.get("results").get(0).get("programs");
        assertThat(programs.get(1).get("samples")).hasSize(3);
        assertThat(programs.get(1).get("ratio").asDouble()).isEqualTo(2.2);
        assertThat(programs.get(0).get("ratio").asDouble()).isEqualTo(1.0);
        assertThat(programs.get(2).get("median").isNull()).isTrue();
        assertThat(programs.get(2).get("failure").asText()).startsWith("exit code 1");
        assertThat(root.get("read_gbps").asDouble()).isEqualTo(35.0);
    }

    @Test
    void chartIsAPictureAndMissesOnlyWithoutRatios() throws IOException {
        Path file = directory.resolve("c.png");
        ComparisonChart.write(new Comparison(List.of("yangtuo", "one")), file);
        assertThat(file).doesNotExist();
        ComparisonChart.write(comparison, file);
        assertThat(Files.readAllBytes(file)).startsWith(0x89, 'P', 'N', 'G');
    }
}
