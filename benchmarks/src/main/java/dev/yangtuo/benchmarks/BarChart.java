package dev.yangtuo.benchmarks;

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
import org.knowm.xchart.style.CategoryStyler;
import org.knowm.xchart.style.Styler;

/** A picture of bars in groups, in the one style of all our results. The same values give the same picture. */
public final class BarChart {
    /** Pixels, as all lengths here. */
    private static final int HEIGHT = 700;
    private static final int LEAST_WIDTH = 900;
    private static final int MOST_WIDTH = 6000;
    private static final int AROUND = 160;
    private static final int BAR_WIDTH = 64;
    private static final int GROUP_GAP = 48;

    /** Colours that people with the usual colour blindnesses can tell apart: Okabe and Ito, Color Universal Design, 2008. */
    private static final List<Integer> COLORS = List.of(0x0072B2, 0xE69F00, 0x009E73, 0xD55E00, 0x56B4E9, 0xCC79A7, 0xF0E442);

    private final List<String> groups;
    private final CategoryChart chart;

    /**
     * @param groups names of the groups of bars
     * @param bars in each group at most
     */
    public BarChart(String title, String axis, List<String> groups, int bars) {
        System.setProperty("java.awt.headless", "true"); // read when the first class of AWT is initialized; a server has no display
        this.groups = List.copyOf(groups);
        this.chart = new CategoryChartBuilder()
                .width(Math.clamp(AROUND + (long) groups.size() * (bars * BAR_WIDTH + GROUP_GAP), LEAST_WIDTH, MOST_WIDTH))
                .height(HEIGHT)
                .title(title)
                .yAxisTitle(axis)
                .build();
        chart.getStyler()
                .setXAxisLabelRotation(45)
                .setAxisTickLabelsFont(font(Font.PLAIN, 14))
                .setPlotGridVerticalLinesVisible(false)
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
    }

    /** Writes values upon the bars, on an axis from 0 to somewhat above the highest. */
    public BarChart withLabels(double highest) {
        style().setLabelsVisible(true)
                .setLabelsPosition(0.9)
                .setLabelsFont(font(Font.BOLD, 14))
                .setYAxisMin(0.0)
                .setYAxisMax(highest)
                .setYAxisDecimalPattern("0.0#");
        return this;
    }

    /** Makes each decade as high as the next, for values of different magnitudes: from the power of ten below the lowest to that above the highest; both above 0. */
    public BarChart logarithmic(double lowest, double highest) {
        style().setYAxisLogarithmic(true)
                .setYAxisMin(Math.pow(10, Math.floor(Math.log10(lowest))))
                .setYAxisMax(Math.pow(10, Math.ceil(Math.log10(highest))))
                .setYAxisDecimalPattern("#,##0.###");
        return this;
    }

    private CategoryStyler style() {
        return chart.getStyler();
    }

    /**
     * Adds a bar to each group.
     *
     * @param values in the order of the groups; null where there is none
     * @param errors up and down from the values; null for no such marks
     */
    public BarChart add(String name, List<@Nullable Double> values, @Nullable List<Double> errors) {
        if (errors == null) {
            chart.addSeries(name, groups, values);
        } else {
            chart.addSeries(name, groups, values, errors);
        }
        return this;
    }

    /** Writes it as PNG. */
    public void write(Path file) throws IOException {
        Files.write(file, BitmapEncoder.getBitmapBytes(chart, BitmapEncoder.BitmapFormat.PNG));
    }

    private static Font font(int style, int size) {
        return new Font(Font.SANS_SERIF, style, size);
    }
}
