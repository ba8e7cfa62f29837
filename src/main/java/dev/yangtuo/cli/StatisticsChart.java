package dev.yangtuo.cli;

import dev.yangtuo.tokenizer.TokenStatistics;
import java.awt.Font;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.CategoryChart;
import org.knowm.xchart.CategoryChartBuilder;
import org.knowm.xchart.style.AxesChartStyler;

/**
 * Statistics as a picture: tokens per character, a group of bars for each text and, where there are several, one for all of them; a bar for
 * each tokenizer. Per character, so that a short text's bars can be read beside a long one's.
 */
final class StatisticsChart {
    /** More than can be told apart. */
    static final int MAX_BARS = 200;

    /** Pixels, as all lengths here. */
    static final int MIN_WIDTH = 1000;

    private static final int MAX_WIDTH = 4000;
    private static final int MAX_WIDTH_FOR_NAMES = 1600;
    private static final int BARS_HEIGHT = 640;
    private static final int LEGEND_LINE_HEIGHT = 30;
    private static final int LEFT_OF_BARS = 120;
    private static final int GROUP_GAP = 32;
    private static final int NARROWEST_BAR = 44;
    private static final int WIDEST_BAR = 120;

    private final StatisticsReport report;
    private final List<String> groups = new ArrayList<>();
    private final List<List<TokenStatistics>> groupValues = new ArrayList<>();

    private StatisticsChart(StatisticsReport report) {
        this.report = report;
        List<String> names = ShortNames.ofTexts(report.sections().stream().map(StatisticsReport.Section::text).toList());
        for (int i = 0; i < names.size(); i++) {
            groups.add(ChartStyle.elided(names.get(i)));
            groupValues.add(report.sections().get(i).byModel());
        }
        if (names.size() > 1) {
            groups.add("all %d texts".formatted(names.size()));
            groupValues.add(report.total());
        }
    }

    /** The picture as a PNG file. */
    static byte[] png(StatisticsReport report) throws IOException {
        return BitmapEncoder.getBitmapBytes(new StatisticsChart(report).chart(), BitmapEncoder.BitmapFormat.PNG);
    }

    /** Some of the characters of the names that no font on this machine has; boxes stand for them in the picture. */
    static String withoutGlyph(StatisticsReport report) {
        StatisticsChart chart = new StatisticsChart(report);
        return ChartStyle.withoutGlyph(
                String.join("", chart.groups) + chart.report.models().stream().map(model -> ChartStyle.elided(model.name())).collect(Collectors.joining()));
    }

    private CategoryChart chart() {
        int models = report.models().size();
        Font tickFont = ChartStyle.font(Font.PLAIN, 16);
        int widestName = (int) Math.ceil(groups.stream().mapToDouble(name -> ChartStyle.width(name, tickFont)).max().orElseThrow());
        int barsWidth = models * NARROWEST_BAR + GROUP_GAP;
        boolean upright = widestName + GROUP_GAP > barsWidth && width(widestName + GROUP_GAP) > MAX_WIDTH_FOR_NAMES;
        int width = Math.clamp(width(upright ? barsWidth : Math.max(barsWidth, widestName + GROUP_GAP)), MIN_WIDTH, MAX_WIDTH);
        CategoryChart chart = new CategoryChartBuilder()
                .width(width)
                .height(BARS_HEIGHT + LEGEND_LINE_HEIGHT * models + (upright ? widestName : 0))
                .title("Tokens per character: fewer are better")
                .xAxisTitle("Text")
                .yAxisTitle("Tokens per character")
                .build();
        double group = (double) (width - LEFT_OF_BARS) / groups.size();
        double bar = Math.min(WIDEST_BAR, Math.max(group - GROUP_GAP, group / 2) / models);
        ChartStyle.apply(chart.getStyler(), tickFont, highest(), "0.00");
        chart.getStyler()
                .setAvailableSpaceFill(bar * models / group)
                .setLabelsVisible(bar > NARROWEST_BAR - 1)
                .setXAxisLabelRotation(upright ? 90 : 0)
                .setXAxisLabelAlignmentVertical(AxesChartStyler.TextAlignment.Right); // names that stand upright begin below the axis
        addBars(chart);
        return chart;
    }

    /** Of the picture, when each group of bars takes this much. */
    private int width(int group) {
        return groups.size() * group + LEFT_OF_BARS;
    }

    private void addBars(CategoryChart chart) {
        List<TokenStatistics> total = groupValues.getLast();
        for (int i = 0; i < report.models().size(); i++) {
            int model = i;
            List<@Nullable Double> values = groupValues.stream().map(byModel -> tokensPerCharacter(byModel.get(model))).toList();
            String name = report.models().get(i).name();
            chart.addSeries(name, groups, values).setLabel(String.format(Locale.ROOT, "%s: %,d tokens", ChartStyle.elided(name), total.get(i).tokens()));
        }
    }

    private double highest() {
        return groupValues.stream()
                .flatMap(List::stream)
                .map(StatisticsChart::tokensPerCharacter)
                .filter(Objects::nonNull)
                .mapToDouble(Double::doubleValue)
                .max()
                .orElse(0);
    }

    /** Null, which leaves out the bar, for an empty text. */
    private static @Nullable Double tokensPerCharacter(TokenStatistics statistics) {
        return statistics.characters() == 0 ? null : (double) statistics.tokens() / statistics.characters();
    }
}
