package dev.yangtuo.benchmarks.compare;

import java.awt.Color;
import java.awt.Font;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.CategoryChart;
import org.knowm.xchart.CategoryChartBuilder;
import org.knowm.xchart.style.Styler;

/** A comparison as a picture: for each file and test a bar for each other program, as high as we are times as fast. */
final class ComparisonChart {
    /** Pixels, as all lengths here. */
    private static final int HEIGHT = 700;
    private static final int LEAST_WIDTH = 900;
    private static final int MOST_WIDTH = 6000;
    private static final int AROUND = 160;
    private static final int BAR_WIDTH = 64;
    private static final int GROUP_GAP = 48;

    /** Colours that people with the usual colour blindnesses can tell apart: Okabe and Ito, Color Universal Design, 2008. */
    private static final List<Integer> COLORS = List.of(0x0072B2, 0xE69F00, 0x009E73, 0xD55E00, 0x56B4E9, 0xCC79A7, 0xF0E442);

    private ComparisonChart() {}

    /** Writes it as PNG; nothing if there is no ratio to show. */
    static void write(Comparison comparison, Path file) throws IOException {
        System.setProperty("java.awt.headless", "true"); // read when the first class of AWT is initialized; a server has no display
        double highest = comparison.rows().stream()
                .flatMap(row -> comparison.peers().stream().map(peer -> row.ratio(comparison.ours(), peer)))
                .filter(ratio -> !ratio.isNaN())
                .mapToDouble(Double::doubleValue)
                .max().orElse(0);
        if (highest > 0) {
            Files.write(file, BitmapEncoder.getBitmapBytes(chart(comparison, highest), BitmapEncoder.BitmapFormat.PNG));
        }
    }

    private static CategoryChart chart(Comparison comparison, double highest) {
        List<String> groups = comparison.rows().stream().map(ComparisonChart::name).toList();
        int width = AROUND + groups.size() * (comparison.peers().size() * BAR_WIDTH + GROUP_GAP);
        CategoryChart chart = new CategoryChartBuilder()
                .width(Math.clamp(width, LEAST_WIDTH, MOST_WIDTH))
                .height(HEIGHT)
                .title("%s: how many times as fast as others".formatted(comparison.ours()))
                .yAxisTitle("Ratio of median tokens per second")
                .build();
        chart.getStyler()
                .setLabelsVisible(true)
                .setLabelsPosition(0.9)
                .setLabelsFont(font(Font.BOLD, 14))
                .setXAxisLabelRotation(45)
                .setAxisTickLabelsFont(font(Font.PLAIN, 14))
                .setPlotGridVerticalLinesVisible(false)
                .setYAxisMin(0.0)
                .setYAxisMax(Math.max(1.2, 1.1 * highest))
                .setYAxisDecimalPattern("0.0#")
                .setLocale(Locale.ROOT)
                .setChartTitleFont(font(Font.BOLD, 20))
                .setChartTitleBoxVisible(false)
                .setChartBackgroundColor(Color.WHITE)
                .setChartPadding(18)
                .setPlotBorderVisible(false)
                .setLegendPosition(Styler.LegendPosition.OutsideS)
                .setLegendBorderColor(Color.WHITE)
                .setLegendFont(font(Font.PLAIN, 15))
                .setSeriesColors(COLORS.stream().map(Color::new).toArray(Color[]::new));
        for (String peer : comparison.peers()) {
            List<@Nullable Double> ratios = comparison.rows().stream().map(row -> orNull(row.ratio(comparison.ours(), peer))).toList();
            if (ratios.stream().anyMatch(ratio -> ratio != null)) {
                chart.addSeries("against " + peer, groups, ratios);
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

    private static Font font(int style, int size) {
        return new Font(Font.SANS_SERIF, style, size);
    }
}
