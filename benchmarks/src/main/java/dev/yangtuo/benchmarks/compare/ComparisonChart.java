package dev.yangtuo.benchmarks.compare;

import dev.yangtuo.benchmarks.BarChart;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A comparison as a picture: for each file and test a bar for each other program, as high as we are times as fast. */
final class ComparisonChart {
    private ComparisonChart() {}

    /** Writes it as PNG; nothing if there is no ratio to show. */
    static void write(Comparison comparison, Path file) throws IOException {
        double highest = comparison.rows().stream()
                .flatMap(row -> comparison.peers().stream().map(peer -> row.ratio(comparison.ours(), peer)))
                .filter(ratio -> !ratio.isNaN())
                .mapToDouble(Double::doubleValue)
                .max().orElse(0);
        if (highest > 0) {
            chart(comparison, highest).write(file);
        }
    }

    private static BarChart chart(Comparison comparison, double highest) {
        List<String> groups = comparison.rows().stream().map(ComparisonChart::name).toList();
        BarChart chart = new BarChart("%s: how many times as fast as others".formatted(comparison.ours()), "Ratio of median tokens per second", groups,
                comparison.peers().size()).withLabels(Math.max(1.2, 1.1 * highest));
        for (String peer : comparison.peers()) {
            List<@Nullable Double> ratios = comparison.rows().stream().map(row -> orNull(row.ratio(comparison.ours(), peer))).toList();
            if (ratios.stream().anyMatch(ratio -> ratio != null)) {
                chart.add("against " + peer, ratios, null);
            }
        }
        return chart;
    }

    private static String name(Comparison.Row row) {
        return row.model().replaceFirst("\\.gguf$", "") + " " + row.test().name();
    }

    private static @Nullable Double orNull(double value) {
        return Double.isNaN(value) ? null : value;
    }
}
