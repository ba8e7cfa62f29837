package dev.yangtuo.benchmarks.latency;

import dev.yangtuo.benchmarks.MarkdownTable;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Results as Markdown: where they were measured, a table for each measure, what was checked, and what was not measured and why. */
final class ReportText {
    private static final double GIBIBYTE = 1 << 30;
    private static final String NONE = "-";

    private final SuiteResults results;
    private final StringBuilder out = new StringBuilder();

    private ReportText(SuiteResults results) {
        this.results = results;
    }

    static String of(SuiteResults results) {
        ReportText text = new ReportText(results);
        text.facts();
        text.times(Measure.FIRST_TOKEN, "Time to first token", "Milliseconds from a prompt's ids to the first token: median, 99th percentile behind it.", ReportText::percentiles, "p50", true);
        text.times(Measure.NEXT_TOKEN, "Time between tokens", "Milliseconds between two tokens of each text, of texts that are computed together: median, 99th percentile behind it.",
                ReportText::percentiles, "p50", true);
        text.times(Measure.NEXT_TOKEN, "Tokens per second", "Of all texts together, from the mean time between tokens.", row -> number(row.value("tokens_per_second")),
                "tokens_per_second", false);
        text.times(Measure.GARBAGE, "Garbage per token", "Bytes that all threads of the JVM allocate while a token is computed and read; in parentheses what JMH's -prof gc reports, "
                + "whose own work and the beginning of texts are in it.", ReportText::garbage, "bytes_per_token", true);
        text.times(Measure.LOAD, "Loading", "Milliseconds from files in the page cache to a model that is ready: median, 99th percentile behind it. `file` is the model as it is, `base` the "
                + "model without its adapter, `adapter` with it.", ReportText::percentiles, "p50", true);
        text.merges();
        text.times(Measure.TOKENIZE, "Tokenization", "Megabytes (10^6 bytes of UTF-8) a second, one call for each line.", ReportText::mean, "mean", false);
        text.times(Measure.FOREIGN_CALL, "A call from Java into native code", "Nanoseconds of a function that only returns a number.", ReportText::mean, "mean", true);
        text.checks();
        text.failures();
        return text.out.toString();
    }

    private void facts() {
        out.append("# Latency\n\n");
        Map<String, String> facts = results.facts();
        fact("machine", "%s, %s processors, %s memory".formatted(facts.getOrDefault("processor", "?"), facts.getOrDefault("processors", "?"), memory(facts.get("memory_bytes"))));
        fact("system", facts.get("system"));
        fact("java", facts.get("java"));
        fact("jmh", facts.get("jmh"));
        String commit = facts.getOrDefault("commit", "");
        fact("yangtuo", facts.getOrDefault("yangtuo", "?") + (commit.isEmpty() ? "" : ", commit " + commit));
        Map<EngineName, Set<String>> backends = new LinkedHashMap<>();
        for (SuiteRow row : results.rows()) {
            if (!row.model().isEmpty() && row.facts().containsKey("backend")) {
                backends.computeIfAbsent(row.engine(), _ -> new LinkedHashSet<>()).add(row.facts().get("backend"));
            }
        }
        backends.forEach((engine, names) -> fact(engine + " computes with", String.join("; ", names)));
        fact("threads", facts.get("threads"));
        fact("flags", code(facts.get("flags")));
        fact("flags of jlama", code(facts.get("jlama_flags")));
        fact("date", facts.get("date"));
        fact("command", code(facts.get("command")));
        if (Boolean.parseBoolean(facts.get("quick"))) {
            out.append("\nA quick run, whose figures only show that everything works.\n");
        }
        out.append("\nRatios above 1 are in favour of %s: of times, the other engine's divided by its own; of speeds, its own divided by the other's.\n".formatted(ours()));
    }

    private void fact(String name, @Nullable String value) {
        if (value != null && !value.isEmpty()) {
            out.append("- ").append(name).append(": ").append(value).append('\n');
        }
    }

    private static @Nullable String code(@Nullable String value) {
        return value == null ? null : "`" + value + "`";
    }

    private static String memory(@Nullable String bytes) {
        return bytes == null ? "?" : String.format(Locale.ROOT, "%.0f GiB", Double.parseDouble(bytes) / GIBIBYTE);
    }

    private List<EngineName> engines() {
        return results.rows().stream().map(SuiteRow::engine).distinct().sorted().toList();
    }

    private EngineName ours() {
        return engines().isEmpty() ? EngineName.YANGTUO : engines().getFirst();
    }

    /**
     * A table of one measure.
     *
     * @param key of the value whose ratios are given
     * @param isTime whether less is better
     */
    private void times(Measure measure, String title, String explanation, Function<SuiteRow, String> cell, String key, boolean isTime) {
        Map<String, List<SuiteRow>> groups = groups(measure);
        if (groups.isEmpty()) {
            return;
        }
        out.append("\n## %s\n\n%s\n\n".formatted(title, explanation));
        List<String> names = results.rows().stream().filter(row -> row.measure() == measure).findFirst().orElseThrow().parameters().keySet().stream().toList();
        boolean hasModel = groups.values().stream().anyMatch(rows -> !rows.getFirst().model().isEmpty());
        List<String> header = new ArrayList<>(hasModel ? List.of("model") : List.of());
        header.addAll(names);
        int words = header.size();
        for (EngineName engine : engines()) {
            header.add(engine.toString());
            if (engine != ours()) {
                header.add("ratio");
            }
        }
        MarkdownTable table = new MarkdownTable(words, header);
        for (List<SuiteRow> rows : groups.values()) {
            SuiteRow any = rows.getFirst();
            List<String> cells = new ArrayList<>(hasModel ? List.of(any.model()) : List.of());
            names.forEach(name -> cells.add(any.parameters().getOrDefault(name, "")));
            @Nullable SuiteRow own = row(rows, ours());
            for (EngineName engine : engines()) {
                @Nullable SuiteRow row = row(rows, engine);
                cells.add(row == null ? NONE : row.failure() != null ? "not measured" : cell.apply(row));
                if (engine != ours()) {
                    cells.add(ratio(own, row, key, isTime));
                }
            }
            table.add(cells);
        }
        out.append(table);
    }

    /** Rows of the same work, one for each engine, in their order. */
    private Map<String, List<SuiteRow>> groups(Measure measure) {
        return results.rows().stream().filter(row -> row.measure() == measure)
                .collect(Collectors.groupingBy(row -> row.model() + " " + row.parameters(), LinkedHashMap::new, Collectors.toList()));
    }

    private static @Nullable SuiteRow row(List<SuiteRow> rows, EngineName engine) {
        return rows.stream().filter(row -> row.engine() == engine).findFirst().orElse(null);
    }

    private static String ratio(@Nullable SuiteRow own, @Nullable SuiteRow other, String key, boolean isTime) {
        if (own == null || other == null) {
            return NONE;
        }
        double ratio = isTime ? other.value(key) / own.value(key) : own.value(key) / other.value(key);
        return Double.isFinite(ratio) ? String.format(Locale.ROOT, "%.2f", ratio) : NONE;
    }

    private static String percentiles(SuiteRow row) {
        return "%s (p99 %s)".formatted(number(row.value("p50")), number(row.value("p99")));
    }

    private static String mean(SuiteRow row) {
        double error = row.value("error");
        return Double.isNaN(error) ? number(row.value("mean")) : "%s ± %s".formatted(number(row.value("mean")), number(error));
    }

    private static String garbage(SuiteRow row) {
        return "%s (%s)".formatted(count(row.value("bytes_per_token")), count(row.value("gc_prof_bytes_per_token")));
    }

    private static String count(double value) {
        return String.format(Locale.ROOT, "%.0f", value);
    }

    /** Three digits that count, or all before the point. */
    private static String number(double value) {
        double size = Math.abs(value);
        return String.format(Locale.ROOT, size >= 100 ? "%.0f" : size >= 10 ? "%.1f" : size >= 1 ? "%.2f" : "%.3f", value);
    }

    /** What an adapter takes: loading with it, less loading without. */
    private void merges() {
        Map<String, List<SuiteRow>> byModel = results.rows().stream().filter(row -> row.measure() == Measure.LOAD && row.failure() == null)
                .collect(Collectors.groupingBy(row -> row.model() + "\n" + row.engine(), LinkedHashMap::new, Collectors.toList()));
        MarkdownTable table = new MarkdownTable(2, List.of("model", "engine", "merge, ms"));
        boolean any = false;
        for (List<SuiteRow> rows : byModel.values()) {
            double with = median(rows, LoadSource.ADAPTER);
            double without = median(rows, LoadSource.BASE);
            if (!Double.isNaN(with - without)) {
                any = true;
                table.add(List.of(rows.getFirst().model(), rows.getFirst().engine().toString(), number(with - without)));
            }
        }
        if (any) {
            out.append("\n## Merging an adapter\n\nMilliseconds: the median of loading with the adapter less that of loading without it. The adapter brings its own vocabulary matrices, which are "
                    + "read and encoded in it.\n\n").append(table);
        }
    }

    private static double median(List<SuiteRow> rows, LoadSource source) {
        return rows.stream().filter(row -> source.toString().equals(row.parameters().get("from"))).mapToDouble(row -> row.value("p50")).findFirst().orElse(Double.NaN);
    }

    private void checks() {
        Set<String> lines = new LinkedHashSet<>();
        for (SuiteRow row : results.rows()) {
            @Nullable String check = row.facts().get("check");
            if (check != null) {
                String of = row.model().isEmpty() ? row.measure().toString() : row.model();
                lines.add("- %s, %s: %s\n".formatted(of, row.engine(), check));
            }
        }
        if (!lines.isEmpty()) {
            out.append("\n## What was checked before it was timed\n\n");
            lines.forEach(out::append);
        }
    }

    private void failures() {
        Map<String, List<SuiteRow>> byReason = results.rows().stream().filter(row -> row.failure() != null)
                .collect(Collectors.groupingBy(row -> "%s: %s".formatted(row.engine(), row.failure()), LinkedHashMap::new, Collectors.toList()));
        if (byReason.isEmpty()) {
            return;
        }
        out.append("\n## Not measured\n\n");
        byReason.forEach((reason, rows) -> out.append("- %s (%s)\n".formatted(reason, rows.stream().map(ReportText::name).collect(Collectors.joining("; ")))));
    }

    private static String name(SuiteRow row) {
        List<String> words = new ArrayList<>(List.of(row.measure().toString()));
        if (!row.model().isEmpty()) {
            words.add(row.model());
        }
        row.parameters().forEach((name, value) -> words.add(name + " " + value));
        return String.join(" ", words);
    }
}
