package dev.yangtuo.benchmarks.latency;

import dev.yangtuo.benchmarks.BarChart;
import java.io.IOException;
import java.nio.file.Path;
import java.util.DoubleSummaryStatistics;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Results of one measure as a picture: for each model and parameters a bar for each engine. */
final class ReportChart {
    /** Bars: names of the values, and of the error that stands upon them; null for none. A logarithmic axis can show no error down to 0. */
    private record Bars(String title, String axis, List<String> values, @Nullable String error) {}

    private ReportChart() {}

    private static @Nullable Bars bars(Measure measure) {
        return switch (measure) {
            case FIRST_TOKEN -> times("Time to first token");
            case NEXT_TOKEN -> times("Time between tokens");
            case LOAD -> times("Loading");
            case TOKENIZE -> new Bars("Tokenization", "MB/s, mean with 99.9 % interval", List.of("mean"), "error");
            case GARBAGE, FOREIGN_CALL -> null;
        };
    }

    private static Bars times(String title) {
        return new Bars(title, "Milliseconds, median and 99th percentile", List.of("p50", "p99"), null);
    }

    /** Writes the picture of a measure as PNG; nothing if there is nothing to show. {@return whether it was written} */
    static boolean write(SuiteResults results, Measure measure, Path file) throws IOException {
        List<SuiteRow> rows = results.rows().stream().filter(row -> row.measure() == measure && row.failure() == null).toList();
        @Nullable Bars bars = bars(measure);
        if (rows.isEmpty() || bars == null) {
            return false;
        }
        List<String> groups = rows.stream().map(ReportChart::group).distinct().toList();
        List<EngineName> engines = rows.stream().map(SuiteRow::engine).distinct().sorted().toList();
        BarChart chart = new BarChart(bars.title(), bars.axis(), groups, engines.size() * bars.values().size());
        if (bars.error() == null) {
            DoubleSummaryStatistics all = rows.stream().flatMap(row -> bars.values().stream().map(row::value)).mapToDouble(Double::doubleValue).summaryStatistics();
            chart.logarithmic(all.getMin(), all.getMax());
        }
        for (EngineName engine : engines) {
            for (String value : bars.values()) {
                String name = bars.values().size() == 1 ? engine.toString() : engine + ", " + value;
                chart.add(name, values(rows, groups, engine, value), bars.error() == null ? null : errors(rows, groups, engine, bars.error()));
            }
        }
        chart.write(file);
        return true;
    }

    private static String group(SuiteRow row) {
        String parameters = String.join(" ", row.parameters().entrySet().stream().map(entry -> entry.getKey() + " " + entry.getValue()).toList());
        return (row.model() + " " + parameters).strip();
    }

    private static List<@Nullable Double> values(List<SuiteRow> rows, List<String> groups, EngineName engine, String value) {
        return groups.stream().map(group -> find(rows, group, engine).map(row -> row.values().get(value)).findFirst().orElse(null)).toList();
    }

    private static List<Double> errors(List<SuiteRow> rows, List<String> groups, EngineName engine, String error) {
        return groups.stream().map(group -> find(rows, group, engine).map(row -> row.values().getOrDefault(error, 0.0)).findFirst().orElse(0.0)).toList();
    }

    private static Stream<SuiteRow> find(List<SuiteRow> rows, String group, EngineName engine) {
        return rows.stream().filter(row -> row.engine() == engine && group(row).equals(group));
    }
}
