package dev.yangtuo.cli;

import dev.yangtuo.exception.YangtuoException;
import java.awt.Color;
import java.awt.Font;
import java.awt.font.FontRenderContext;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import org.knowm.xchart.style.CategoryStyler;
import org.knowm.xchart.style.Styler;

/** What all charts look like. */
final class ChartStyle {
    private static final int MAX_NAME_CHARACTERS = 40;

    /** Colours that people with the usual colour blindnesses can tell apart: Okabe and Ito, Color Universal Design, 2008. */
    private static final List<Integer> COLORS = List.of(0x0072B2, 0xE69F00, 0x009E73, 0xD55E00, 0x56B4E9, 0xCC79A7, 0xF0E442);

    private ChartStyle() {}

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

    /**
     * Bars that stand on the axis, with their values, and a legend below.
     *
     * @param highest of the values
     * @param decimals how values are written, a pattern of {@link java.text.DecimalFormat}
     */
    static void apply(CategoryStyler styler, Font tickFont, double highest, String decimals) {
        styler.setLabelsPosition(0.5)
                .setLabelsFont(font(Font.BOLD, 15))
                .setAxisTitleFont(font(Font.BOLD, 17))
                .setAxisTitlePadding(14)
                .setAxisTickLabelsFont(tickFont)
                .setPlotGridVerticalLinesVisible(false)
                .setYAxisMin(0.0)
                .setYAxisMax(Math.max(0.1, 1.05 * highest))
                .setYAxisDecimalPattern(decimals)
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

    /** A font of the logical family, which takes what one font lacks from others. */
    static Font font(int style, int size) {
        return new Font(Font.SANS_SERIF, style, size);
    }

    static double width(String text, Font font) {
        return font.getStringBounds(text, new FontRenderContext(null, true, false)).getWidth();
    }

    /** Some of the characters of a text that no font on this machine has; boxes stand for them in a picture. */
    static String withoutGlyph(String text) {
        Font font = font(Font.PLAIN, 10);
        return text.codePoints()
                .distinct()
                .filter(codePoint -> !font.canDisplay(codePoint))
                .limit(20)
                .mapToObj(Character::toString)
                .collect(Collectors.joining());
    }

    /** Says so, with the remedy; nothing if all can be drawn. */
    static void noteMissingGlyphs(String characters, Path file, PrintWriter err) {
        if (!characters.isEmpty()) {
            err.println(("%s: no font here has '%s', boxes stand for them; a font with Chinese characters is "
                    + "installed so (Debian, Ubuntu): apt-get install fonts-wqy-zenhei").formatted(file, characters));
        }
    }

    /** A name short enough for the picture: the ends of a long one, for it is there that names differ. */
    static String elided(String name) {
        int[] codePoints = name.codePoints().toArray();
        if (codePoints.length <= MAX_NAME_CHARACTERS) {
            return name;
        }
        int half = MAX_NAME_CHARACTERS / 2;
        return new String(codePoints, 0, half) + "…" + new String(codePoints, codePoints.length - half, half);
    }
}
