package dev.yangtuo.cli;

import dev.yangtuo.tokenizer.TokenStatistics;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/** Statistics for people: for each text, and for all together, a line on the text and a table with a row for each tokenizer. */
final class StatisticsTable {
    private static final String NOTHING = "-";

    private StatisticsTable() {}

    /** The tables, each line with its line feed. */
    static String of(StatisticsReport report) {
        StringBuilder out = new StringBuilder();
        for (StatisticsReport.Section section : report.sections()) {
            out.append(out.isEmpty() ? "" : "\n");
            section(out, ShortNames.printable(section.text().name()), report.models(), section.byModel());
        }
        if (report.sections().size() > 1) {
            out.append('\n');
            section(out, "total of %d texts".formatted(report.sections().size()), report.models(), report.total());
        }
        return out.toString();
    }

    private static void section(
            StringBuilder out, String name, List<StatisticsReport.NamedTokenizer> models, List<TokenStatistics> byModel) {
        TokenStatistics text = byModel.getFirst();
        out.append("%s: %s, %s, %s".formatted(
                name, counted(text.texts(), "line"), counted(text.characters(), "character"), counted(text.bytes(), "byte")));
        if (text.malformed() > 0) {
            out.append(", %s of them not UTF-8".formatted(number(text.malformed())));
        }
        out.append('\n');
        List<List<String>> rows = new ArrayList<>();
        boolean compared = models.size() > 1;
        rows.add(row(compared, "model", "tokens", "ratio", "characters/token", "bytes/token", "byte tokens", "unknown"));
        for (int i = 0; i < models.size(); i++) {
            TokenStatistics model = byModel.get(i);
            rows.add(row(
                    compared,
                    models.get(i).name(),
                    number(model.tokens()),
                    number(StatisticsReport.ratioToFirst(byModel, i), "%.3f"),
                    number(model.charactersPerToken(), "%.3f"),
                    number(model.bytesPerToken(), "%.3f"),
                    number(100 * model.byteTokenShare(), "%.1f %%"),
                    number(model.unknownTokens())));
        }
        TextTable.append(out, rows, Set.of(0));
    }

    private static List<String> row(boolean compared, String model, String tokens, String ratio, String... rest) {
        List<String> cells = new ArrayList<>(List.of(model, tokens));
        if (compared) {
            cells.add(ratio);
        }
        cells.addAll(List.of(rest));
        return cells;
    }

    private static String counted(long count, String what) {
        return "%s %s%s".formatted(number(count), what, count == 1 ? "" : "s");
    }

    private static String number(long count) {
        return String.format(Locale.ROOT, "%,d", count);
    }

    private static String number(double rate, String format) {
        return Double.isFinite(rate) ? String.format(Locale.ROOT, format, rate) : NOTHING;
    }
}
