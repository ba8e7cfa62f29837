package dev.yangtuo.cli;

import dev.yangtuo.exception.YangtuoException;
import dev.yangtuo.tokenizer.TokenStatistics;
import java.awt.Color;
import java.awt.Font;
import java.awt.font.FontRenderContext;
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
import org.knowm.xchart.style.CategoryStyler;
import org.knowm.xchart.style.Styler;

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
    private static final int MAX_NAME_CHARACTERS = 40;

    /** Colours that people with the usual colour blindnesses can tell apart: Okabe and Ito, Color Universal Design, 2008. */
    private static final List<Integer> COLORS = List.of(0x0072B2, 0xE69F00, 0x009E73, 0xD55E00, 0x56B4E9, 0xCC79A7, 0xF0E442);

    private final StatisticsReport report;
    private final List<String> groups = new ArrayList<>();
    private final List<List<TokenStatistics>> groupValues = new ArrayList<>();

    private StatisticsChart(StatisticsReport report) {
        this.report = report;
        List<String> names = ShortNames.ofTexts(report.sections().stream().map(StatisticsReport.Section::text).toList());
        for (int i = 0; i < names.size(); i++) {
            groups.add(elided(names.get(i)));
            groupValues.add(report.sections().get(i).byModel());
        }
        if (names.size() > 1) {
            groups.add("all %d texts".formatted(names.size()));
            groupValues.add(report.total());
        }
    }

    /**
     * Makes sure that a picture can be drawn; to be called before the work whose result it shows.
     *
     * @throws YangtuoException if the machine has no fonts
     */
    static void requireFonts() {
        System.setProperty("java.awt.headless", "true"); // read when the first class of AWT is initialized; a server has no display
        try {
            width("0", font(Font.PLAIN, 10));
        } catch (RuntimeException | LinkageError | InternalError e) {
            // What the JDK throws depends on what is missing: its fontconfig, any font at all, FreeType.
            throw new YangtuoException(("a chart needs fonts, and Java finds none that it can use (%s); install some (Debian, Ubuntu: "
                    + "apt-get install fontconfig fonts-dejavu-core)").formatted(e.getMessage()), e);
        }
    }

    /** The picture as a PNG file. */
    static byte[] png(StatisticsReport report) throws IOException {
        return BitmapEncoder.getBitmapBytes(new StatisticsChart(report).chart(), BitmapEncoder.BitmapFormat.PNG);
    }

    /** Some of the characters of the names that no font on this machine has; boxes stand for them in the picture. */
    static String withoutGlyph(StatisticsReport report) {
        StatisticsChart chart = new StatisticsChart(report);
        Font font = font(Font.PLAIN, 10);
        return (String.join("", chart.groups) + chart.report.models().stream().map(model -> elided(model.name())).collect(Collectors.joining()))
                .codePoints()
                .distinct()
                .filter(codePoint -> !font.canDisplay(codePoint))
                .limit(20)
                .mapToObj(Character::toString)
                .collect(Collectors.joining());
    }

    private CategoryChart chart() {
        int models = report.models().size();
        Font tickFont = font(Font.PLAIN, 16);
        int widestName = (int) Math.ceil(groups.stream().mapToDouble(name -> width(name, tickFont)).max().orElseThrow());
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
        style(chart.getStyler(), tickFont, highest());
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

    private static void style(CategoryStyler styler, Font tickFont, double highest) {
        styler.setLabelsPosition(0.5)
                .setLabelsFont(font(Font.BOLD, 15))
                .setAxisTitleFont(font(Font.BOLD, 17))
                .setAxisTitlePadding(14)
                .setAxisTickLabelsFont(tickFont)
                .setPlotGridVerticalLinesVisible(false)
                .setYAxisMin(0.0)
                .setYAxisMax(Math.max(0.1, 1.05 * highest))
                .setYAxisDecimalPattern("0.00")
                .setLocale(Locale.ROOT)
                .setChartTitleFont(font(Font.BOLD, 22))
                .setChartTitlePadding(14)
                .setChartTitleBoxVisible(false)
                .setChartBackgroundColor(Color.WHITE)
                .setChartPadding(18)
                .setPlotContentSize(0.999) // bars stand on the axis; with 1 the tick at 0 would lose its label
                .setPlotBorderVisible(false)
                .setLegendPosition(Styler.LegendPosition.OutsideS)
                .setLegendLayout(Styler.LegendLayout.Vertical)
                .setLegendBorderColor(Color.WHITE)
                .setLegendFont(font(Font.PLAIN, 16))
                .setSeriesColors(COLORS.stream().map(Color::new).toArray(Color[]::new));
    }

    private void addBars(CategoryChart chart) {
        List<TokenStatistics> total = groupValues.getLast();
        for (int i = 0; i < report.models().size(); i++) {
            int model = i;
            List<@Nullable Double> values = groupValues.stream().map(byModel -> tokensPerCharacter(byModel.get(model))).toList();
            String name = report.models().get(i).name();
            chart.addSeries(name, groups, values).setLabel(String.format(Locale.ROOT, "%s: %,d tokens", elided(name), total.get(i).tokens()));
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

    /** A font of the logical family, which takes what one font lacks from others. */
    private static Font font(int style, int size) {
        return new Font(Font.SANS_SERIF, style, size);
    }

    private static double width(String text, Font font) {
        return font.getStringBounds(text, new FontRenderContext(null, true, false)).getWidth();
    }

    /** A name short enough for the picture: the ends of a long one, for it is there that names differ. */
    private static String elided(String name) {
        int[] codePoints = name.codePoints().toArray();
        if (codePoints.length <= MAX_NAME_CHARACTERS) {
            return name;
        }
        int half = MAX_NAME_CHARACTERS / 2;
        return new String(codePoints, 0, half) + "…" + new String(codePoints, codePoints.length - half, half);
    }
}
