package dev.yangtuo.benchmarks.compare;

import dev.yangtuo.bench.Samples;
import dev.yangtuo.benchmarks.MarkdownTable;
import dev.yangtuo.benchmarks.Shell;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/** A comparison as Markdown: what was run on what, a table, and what failed. */
final class ComparisonText {
    private final Comparison comparison;
    private final CompareOptions options;
    private final String commandLine;

    ComparisonText(Comparison comparison, CompareOptions options, String commandLine) {
        this.comparison = comparison;
        this.options = options;
        this.commandLine = commandLine;
    }

    String markdown() {
        StringBuilder out = new StringBuilder();
        facts(out);
        table(out);
        failures(out);
        commands(out);
        return out.toString();
    }

    private void facts(StringBuilder out) {
        fact(out, "machine", "%s, %s".formatted(comparison.fact("machine"), comparison.fact("system")));
        fact(out, "features", comparison.fact("features"));
        fact(out, "ceilings", String.format(Locale.ROOT, "read %s GB/s, int8 %s Top/s, f32 %s Tflop/s: %s",
                number(comparison.ceiling("read_gbps"), "%.1f"), number(comparison.ceiling("int8_tops"), "%.2f"), number(comparison.ceiling("fma_tflops"), "%.3f"),
                options.ceilings().isEmpty() ? "medians of what each run of yangtuo measured" : "of which %s were given, others measured".formatted(options.ceilings().keySet())));
        fact(out, "run", "%d threads, %d rounds in turns, %d runs of a test in each".formatted(options.threads(), options.rounds(), options.repeats()));
        for (Competitor competitor : options.competitors()) {
            String version = comparison.version(competitor.name());
            String backend = competitor.name().equals(comparison.ours()) ? ", " + comparison.fact("backend") : "";
            fact(out, competitor.name(), (version.isEmpty() ? "version unknown" : version) + backend);
        }
        fact(out, "command", "`%s`".formatted(commandLine));
        out.append("\nTokens per second: median (least to most). Ratios are ours divided by the other's, of medians.\n\n");
    }

    private static void fact(StringBuilder out, String name, String value) {
        out.append("- ").append(name).append(": ").append(value).append('\n');
    }

    private void table(StringBuilder out) {
        List<String> header = new ArrayList<>(List.of("model", "test", comparison.ours(), "GB/s", "of read bandwidth", "of int8 peak"));
        for (String peer : comparison.peers()) {
            header.addAll(List.of(peer, "ratio"));
        }
        MarkdownTable table = new MarkdownTable(2, header);
        for (Comparison.Row row : comparison.rows()) {
            List<String> cells = new ArrayList<>(List.of(row.model(), row.test().name(), speed(row, comparison.ours()),
                    number(row.number(comparison.ours(), "gbps"), "%.1f"), percent(row.number(comparison.ours(), "share_of_bandwidth")), percent(row.number(comparison.ours(), "share_of_int8_peak"))));
            for (String peer : comparison.peers()) {
                cells.addAll(List.of(speed(row, peer), number(row.ratio(comparison.ours(), peer), "%.2f")));
            }
            table.add(cells);
        }
        out.append(table);
    }

    private static String speed(Comparison.Row row, String name) {
        Samples samples = row.samples(name);
        if (samples != null) {
            return String.format(Locale.ROOT, "%.2f (%.2f to %.2f)", samples.median(), samples.least(), samples.most());
        }
        Comparison.Cell cell = row.cell(name);
        return cell == null || cell.command() == null ? "-" : "failed";
    }

    private static String number(double value, String format) {
        return Double.isNaN(value) ? "-" : String.format(Locale.ROOT, format, value);
    }

    private static String percent(double share) {
        return number(100 * share, "%.1f %%");
    }

    private void failures(StringBuilder out) {
        StringBuilder lines = new StringBuilder();
        for (Comparison.Row row : comparison.rows()) {
            for (String name : comparison.names()) {
                Comparison.Cell cell = row.cell(name);
                if (cell != null && cell.failure() != null && cell.command() != null) {
                    lines.append("- %s, %s, %s: %s%n".formatted(row.model(), row.test().name(), name, cell.failure().replaceAll("\\s+", " ")));
                }
            }
        }
        if (!lines.isEmpty()) {
            out.append("\nFailed:\n\n").append(lines);
        }
    }

    private void commands(StringBuilder out) {
        Set<String> commands = new LinkedHashSet<>();
        for (Comparison.Row row : comparison.rows()) {
            for (String name : comparison.names()) {
                Comparison.Cell cell = row.cell(name);
                if (cell != null && cell.command() != null) {
                    commands.add(Shell.command(cell.command()));
                }
            }
        }
        out.append("\nWhat was run:\n\n");
        commands.forEach(line -> out.append("    ").append(line).append('\n'));
    }
}
