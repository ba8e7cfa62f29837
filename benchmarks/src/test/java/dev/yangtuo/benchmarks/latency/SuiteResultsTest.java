package dev.yangtuo.benchmarks.latency;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SuiteResultsTest {
    private static final SuiteCase CASE =
            new SuiteCase(Measure.NEXT_TOKEN, EngineName.YANGTUO, "demo-f16", Map.of("texts", "8"), Map.of("model", "demo:f16"), Repeats.QUICK);

    @TempDir
    private Path folder;

    private static Map<String, Double> values() {
        Map<String, Double> values = new LinkedHashMap<>();
        values.put("mean", 1.5);
        values.put("p99", 2.25);
        return values;
    }

    @Test
    void whatIsWrittenIsRead() throws IOException {
        SuiteResults results = new SuiteResults(Map.of("threads", "2"), List.of())
                .with(CASE, SuiteRow.measured(CASE, values(), Map.of("backend", "native", "check", "same")))
                .with(new SuiteCase(Measure.LOAD, EngineName.JLAMA, "demo-f16", Map.of(), Map.of(), Repeats.QUICK),
                        SuiteRow.failed(new SuiteCase(Measure.LOAD, EngineName.JLAMA, "demo-f16", Map.of(), Map.of(), Repeats.QUICK), "not there"));
        Path file = folder.resolve("a/b/r.json");
        results.write(file);
        results.write(file);
        assertThat(SuiteResults.read(file)).isEqualTo(results);
        assertThat(file.getParent()).isDirectoryContaining("glob:**r.json");
        assertThat(Files.list(file.getParent())).as("nothing half-written stays").hasSize(1);
    }

    @Test
    void aRowTakesThePlaceOfTheOneThatFailed() {
        SuiteResults failed = new SuiteResults(Map.of(), List.of()).with(CASE, SuiteRow.failed(CASE, "busy"));
        assertThat(failed.has(CASE)).as("what was not measured is tried again").isFalse();
        SuiteResults measured = failed.with(CASE, SuiteRow.measured(CASE, values(), Map.of()));
        assertThat(measured.rows()).hasSize(1);
        assertThat(measured.has(CASE)).isTrue();
        assertThat(measured.has(new SuiteCase(Measure.NEXT_TOKEN, EngineName.YANGTUO, "demo-f16", Map.of("texts", "1"), Map.of(), Repeats.QUICK))).isFalse();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "[]", "{\"format\": 2, \"rows\": []}", "{\"format\": 1}", "{\"format\": 1, \"rows\": [{\"measure\": \"speed\"}]}"})
    void otherFilesAreRefused(String text) throws IOException {
        Path file = Files.writeString(folder.resolve("x.json"), text);
        assertThatIOException().isThrownBy(() -> SuiteResults.read(file)).withMessageStartingWith(file + ": ");
    }
}
