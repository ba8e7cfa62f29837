package dev.yangtuo.cli;

import dev.yangtuo.bench.BenchReport;
import dev.yangtuo.bench.Machine;
import dev.yangtuo.bench.TestResult;
import dev.yangtuo.kernel.Ceilings;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/** What {@code bench} found, for people: as text or as Markdown. */
final class BenchText {
    private static final List<String> HEADER =
            List.of("test", "tokens/s", "±", "MB/token", "of read bandwidth", "Gop/token", "of int8 peak", "of f32 peak");

    private final BenchReport report;

    private BenchText(BenchReport report) {
        this.report = report;
    }

    /** For a terminal. */
    static String plain(BenchReport report) {
        return new BenchText(report).shown().text();
    }

    /** A list and a table. */
    static String markdown(BenchReport report) {
        return new BenchText(report).shown().markdown();
    }

    private Report shown() {
        return new Report(facts(), List.of(new Report.Table(rows(), Set.of(0))));
    }

    private Map<String, String> facts() {
        Map<String, String> facts = new LinkedHashMap<>();
        BenchReport.Setup setup = report.setup();
        Machine machine = report.machine();
        facts.put("machine", String.format(Locale.ROOT, "%s, %d processors, %.1f GB, %s",
                machine.processor(), machine.processors(), machine.memoryBytes() / 1e9, machine.system()));
        facts.put("features", machine.features().isEmpty() ? "unknown" : machine.features());
        Ceilings ceilings = report.ceilings();
        String unmeasured = setup.backend().equals("scalar") ? "not measured: plain Java computes" : "not measured: a device computes";
        facts.put("ceilings", ceilings == null ? unmeasured : String.format(Locale.ROOT, "read %.1f GB/s, int8 %s, f32 %s, with %d threads",
                ceilings.readGbps(), peak(ceilings.int8Tops(), "Top/s", ceilings.int8Instruction()),
                peak(ceilings.fmaTflops(), "Tflop/s", ceilings.fmaInstruction()), setup.threads()));
        facts.put("model", setup.model());
        facts.put("weights", String.format(Locale.ROOT, "%s, %.1f MB packed; output matrix %s; keys and values %s",
                String.join("+", setup.weightTypes()), setup.weightBytes() / 1e6, setup.outputType(), setup.kvType()).toLowerCase(Locale.ROOT).replace(" mb ", " MB "));
        facts.put("computes", "yangtuo %s, %s, %d threads, %d tokens of a prompt at a time, %d runs of each test".formatted(
                setup.version(), setup.backend(), setup.threads(), setup.step(), setup.repeats()));
        if (report.interrupted()) {
            facts.put("note", "interrupted; tests that were not complete are missing");
        }
        return facts;
    }

    private static String peak(double rate, String unit, String instruction) {
        return Double.isNaN(rate) ? "unknown" : String.format(Locale.ROOT, "%.2f %s (%s)", rate, unit, instruction);
    }

    private List<List<String>> rows() {
        List<List<String>> rows = new ArrayList<>();
        rows.add(HEADER);
        for (TestResult result : report.results()) {
            rows.add(List.of(
                    result.test().name(),
                    String.format(Locale.ROOT, "%.2f", result.tokensPerSecond().mean()),
                    String.format(Locale.ROOT, "%.2f", result.tokensPerSecond().deviation()),
                    String.format(Locale.ROOT, "%.1f", result.bytesPerToken() / 1e6),
                    percent(report.shareOfBandwidth(result)),
                    String.format(Locale.ROOT, "%.2f", result.operationsPerToken() / 1e9),
                    percent(report.shareOfInt8Peak(result)),
                    percent(report.shareOfFmaPeak(result))));
        }
        return rows;
    }

    private static String percent(double share) {
        return Double.isNaN(share) ? "-" : String.format(Locale.ROOT, "%.1f %%", 100 * share);
    }
}
