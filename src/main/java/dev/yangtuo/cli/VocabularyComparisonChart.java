package dev.yangtuo.cli;

import dev.yangtuo.cli.VocabularyComparison.Subject;
import java.awt.Font;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.CategoryChart;
import org.knowm.xchart.CategoryChartBuilder;

/** A comparison as a picture: a group of bars for each cost, a bar for each subject, in per cent of the first one's. */
final class VocabularyComparisonChart {
    /** More than can be told apart. */
    static final int MAX_SUBJECTS = 12;

    private static final int WIDTH = 1400;
    private static final int BARS_HEIGHT = 640;
    private static final int LEGEND_LINE_HEIGHT = 30;
    private static final int NARROWEST_LABELLED = 5;

    private VocabularyComparisonChart() {}

    /** The picture as a PNG file. */
    static byte[] png(VocabularyComparison comparison) throws IOException {
        return BitmapEncoder.getBitmapBytes(chart(comparison), BitmapEncoder.BitmapFormat.PNG);
    }

    /** Some of the characters of the names that no font on this machine has. */
    static String withoutGlyph(VocabularyComparison comparison) {
        return ChartStyle.withoutGlyph(comparison.subjects().stream().map(subject -> ChartStyle.elided(subject.name())).collect(Collectors.joining()));
    }

    private static CategoryChart chart(VocabularyComparison comparison) {
        Map<String, ToDoubleFunction<Subject>> figures = figures(comparison);
        CategoryChart chart = new CategoryChartBuilder()
                .width(WIDTH)
                .height(BARS_HEIGHT + LEGEND_LINE_HEIGHT * comparison.subjects().size())
                .title("1,000 characters, in per cent of %s".formatted(ChartStyle.elided(comparison.subjects().getFirst().name())))
                .xAxisTitle("")
                .yAxisTitle("%")
                .build();
        double highest = 0;
        for (Subject subject : comparison.subjects()) {
            List<@Nullable Double> values = new ArrayList<>();
            for (ToDoubleFunction<Subject> figure : figures.values()) {
                double percent = 100 * comparison.ratioToFirst(subject, figure);
                values.add(Double.isFinite(percent) ? percent : null); // no bar
                highest = Double.isFinite(percent) ? Math.max(highest, percent) : highest;
            }
            chart.addSeries(subject.name(), List.copyOf(figures.keySet()), values).setLabel(ChartStyle.elided(subject.name()));
        }
        ChartStyle.apply(chart.getStyler(), ChartStyle.font(Font.PLAIN, 16), highest, "0");
        chart.getStyler().setLabelsVisible(comparison.subjects().size() <= NARROWEST_LABELLED).setAvailableSpaceFill(0.7);
        return chart;
    }

    /** Those that some subject beside the first one has, by what the axis calls them. */
    private static Map<String, ToDoubleFunction<Subject>> figures(VocabularyComparison comparison) {
        Map<String, ToDoubleFunction<Subject>> figures = new LinkedHashMap<>();
        figures.put("tokens", Subject::tokensPerUnit);
        figures.put("prefill time", Subject::readSeconds);
        figures.put("generation time", Subject::writeSeconds);
        figures.put("KV memory", Subject::kvBytes);
        figures.put("characters in the context", Subject::charactersInContext);
        figures.values().removeIf(figure -> comparison.subjects().stream().noneMatch(subject -> Double.isFinite(comparison.ratioToFirst(subject, figure))));
        return figures;
    }
}
