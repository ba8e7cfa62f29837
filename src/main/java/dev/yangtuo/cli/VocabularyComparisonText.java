package dev.yangtuo.cli;

import dev.yangtuo.cli.VocabularyComparison.Subject;
import dev.yangtuo.tokenizer.TokenStatistics;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;

/** A comparison for people, as text or as Markdown: a row for each figure, a column for each subject, and its ratio to the first behind it. */
final class VocabularyComparisonText {
    private static final String NOTHING = "-";

    private static final List<Row> ROWS = List.of(
            new Row("vocabulary", Subject::vocabSize, VocabularyComparisonText::whole, true),
            new Row("tokens", subject -> subject.statistics().tokens(), VocabularyComparisonText::whole, true),
            new Row("tokens per 1,000 characters", Subject::tokensPerUnit, decimals("%,.1f"), false),
            new Row("characters per token", subject -> subject.statistics().charactersPerToken(), decimals("%.3f"), true),
            new Row("tokens that are single bytes", subject -> 100 * subject.statistics().byteTokenShare(), decimals("%.1f %%"), false),
            new Row("prefill of 1,000 characters, s", Subject::readSeconds, VocabularyComparisonText::seconds, true),
            new Row("prefill, tokens/s", Subject::readTokensPerSecond, decimals("%,.1f"), true),
            new Row("generation of 1,000 characters, s", Subject::writeSeconds, VocabularyComparisonText::seconds, true),
            new Row("generation, tokens/s", Subject::writeTokensPerSecond, decimals("%,.1f"), true),
            new Row("KV memory of a token, KB", subject -> subject.kvBytesPerToken() / 1e3, decimals("%,.1f"), true),
            new Row("KV memory of 1,000 characters, MB", subject -> subject.kvBytes() / 1e6, decimals("%,.2f"), true),
            new Row("context, tokens", Subject::context, VocabularyComparisonText::whole, true),
            new Row("characters that fit the context", Subject::charactersInContext, VocabularyComparisonText::whole, true));

    /**
     * A line of the table.
     *
     * @param figure NaN where there is none
     * @param format of a figure that there is
     * @param compared whether the ratio to the first says anything that no other line says
     */
    private record Row(String label, ToDoubleFunction<Subject> figure, Function<Double, String> format, boolean compared) {}

    private VocabularyComparisonText() {}

    /** For a terminal. */
    static String plain(VocabularyComparison comparison) {
        StringBuilder out = new StringBuilder(about(comparison)).append("\n\n");
        TextTable.append(out, rows(comparison), Set.of(0));
        return out.toString();
    }

    /** A sentence and a table. */
    static String markdown(VocabularyComparison comparison) {
        StringBuilder out = new StringBuilder(about(comparison)).append("\n\n");
        List<List<String>> rows = rows(comparison);
        line(out, rows.getFirst());
        line(out, rows.getFirst().stream().map(cell -> cell.isEmpty() ? "---" : "---:").toList());
        rows.subList(1, rows.size()).forEach(row -> line(out, row));
        return out.toString();
    }

    private static void line(StringBuilder out, List<String> cells) {
        out.append("| ").append(String.join(" | ", cells.stream().map(cell -> cell.replace("|", "\\|")).toList())).append(" |\n");
    }

    private static String about(VocabularyComparison comparison) {
        TokenStatistics text = comparison.subjects().getFirst().statistics();
        StringBuilder about = new StringBuilder("%s: %s characters, %s bytes".formatted(
                TerminalText.escaped(comparison.text()), whole((double) text.characters()), whole((double) text.bytes())));
        if (text.malformed() > 0) {
            about.append(", %s of them not UTF-8".formatted(whole((double) text.malformed())));
        }
        if (comparison.timedCharacters() > 0) {
            about.append("; times are medians of %d %s over %s characters".formatted(
                    comparison.repeats(), comparison.repeats() == 1 ? "run" : "runs", whole((double) comparison.timedCharacters())));
        }
        return about.append(comparison.interrupted() ? "; interrupted, what was not complete is missing" : "").toString();
    }

    private static List<List<String>> rows(VocabularyComparison comparison) {
        List<List<String>> rows = new ArrayList<>();
        rows.add(cells("", comparison.subjects(), subject -> TerminalText.escaped(subject.name()), _ -> "ratio"));
        for (Row row : ROWS) {
            if (comparison.subjects().stream().allMatch(subject -> Double.isNaN(row.figure.applyAsDouble(subject)))) {
                continue;
            }
            rows.add(cells(row.label, comparison.subjects(), subject -> number(row.figure.applyAsDouble(subject), row.format),
                    subject -> row.compared ? number(comparison.ratioToFirst(subject, row.figure), decimals("%.3f")) : ""));
        }
        return rows;
    }

    /** The first subject has no ratio: it would be 1. */
    private static List<String> cells(String label, List<Subject> subjects, Function<Subject, String> figure, Function<Subject, String> ratio) {
        List<String> cells = new ArrayList<>(List.of(label));
        for (Subject subject : subjects) {
            cells.add(figure.apply(subject));
            if (subject != subjects.getFirst()) {
                cells.add(ratio.apply(subject));
            }
        }
        return cells;
    }

    private static String number(double value, Function<Double, String> format) {
        return Double.isFinite(value) ? format.apply(value) : NOTHING;
    }

    private static String whole(Double value) {
        return String.format(Locale.ROOT, "%,d", Math.round(value));
    }

    private static Function<Double, String> decimals(String format) {
        return value -> String.format(Locale.ROOT, format, value);
    }

    /** Three digits that say something, however fast the model is. */
    private static String seconds(Double value) {
        return String.format(Locale.ROOT, value < 0.1 ? "%.4f" : value < 10 ? "%.3f" : "%,.1f", value);
    }
}
