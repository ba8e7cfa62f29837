package dev.yangtuo.benchmarks.latency;

import dev.yangtuo.Llama;
import dev.yangtuo.bench.Machine;
import dev.yangtuo.benchmarks.Shell;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Runs the cases of a {@link SuitePlan} and writes the results anew after each of them, so that nothing is lost when it is interrupted. What cannot be measured is a row that
 * says why; the others go on.
 */
public final class LatencySuite {
    private final SuiteOptions options;
    private final CaseRun run;
    private SuiteResults results;

    private LatencySuite(SuiteOptions options, SuiteResults results) {
        this.options = options;
        this.results = results;
        this.run = new CaseRun(options.enginePath(), options.output().resolveSibling(options.output().getFileName() + ".log"));
    }

    /**
     * Runs it.
     *
     * @param arguments see {@code benchmarks/latency --help}
     * @throws IOException if the results cannot be written
     */
    public static void main(String[] arguments) throws IOException {
        SuiteOptions options;
        SuiteResults known;
        try {
            options = SuiteOptions.parse(arguments);
            known = known(options, facts(options, "benchmarks/latency " + Shell.command(List.of(arguments))));
        } catch (IllegalArgumentException | IOException e) {
            System.err.println("latency: " + e.getMessage());
            System.exit(2);
            return;
        }
        new LatencySuite(options, known).run();
    }

    /** What a run before has measured, if it is to be resumed and was the same. */
    private static SuiteResults known(SuiteOptions options, Map<String, String> facts) throws IOException {
        if (!options.resume() || !Files.exists(options.output())) {
            return new SuiteResults(facts, List.of());
        }
        SuiteResults before = SuiteResults.read(options.output());
        for (String name : List.of("processor", "system", "java", "threads", "quick")) {
            if (!facts.get(name).equals(before.facts().get(name))) {
                throw new IOException("%s: was measured with %s %s, this run has %s; without --resume it is written anew"
                        .formatted(options.output(), name, before.facts().get(name), facts.get(name)));
            }
        }
        return new SuiteResults(facts, before.rows());
    }

    private static Map<String, String> facts(SuiteOptions options, String command) {
        Machine machine = Machine.here();
        Map<String, String> facts = new LinkedHashMap<>();
        facts.put("date", Instant.now().truncatedTo(ChronoUnit.MINUTES).toString());
        facts.put("processor", machine.processor());
        facts.put("processors", Integer.toString(machine.processors()));
        facts.put("features", machine.features());
        facts.put("memory_bytes", Long.toString(machine.memoryBytes()));
        facts.put("system", machine.system());
        facts.put("java", "%s %s".formatted(System.getProperty("java.vm.name"), machine.java()));
        facts.put("jmh", org.openjdk.jmh.util.Version.getPlainVersion().replaceAll("JMH |\\s*\\(.*", "").strip());
        facts.put("yangtuo", version(Llama.class));
        facts.put("commit", System.getProperty("yangtuo.commit", ""));
        facts.put("threads", Integer.toString(options.threads()));
        facts.put("quick", Boolean.toString(options.quick()));
        facts.put("flags", String.join(" ", CaseRun.FLAGS));
        facts.put("jlama_flags", String.join(" ", CaseRun.JLAMA_FLAGS));
        facts.put("command", command);
        return facts;
    }

    private static String version(Class<?> of) {
        @Nullable String version = of.getPackage().getImplementationVersion();
        return version == null ? "built from source" : version;
    }

    private void run() throws IOException {
        results.write(options.output()); // what cannot be written is better said now than after the first case
        List<SuiteCase> cases = SuitePlan.of(options);
        for (int i = 0; i < cases.size(); i++) {
            SuiteCase next = cases.get(i);
            if (results.has(next)) {
                continue;
            }
            SuiteRow row = run.run(next);
            results = results.with(next, row);
            results.write(options.output());
            System.err.printf("latency: %d of %d: %s: %s%n", i + 1, cases.size(), next.describe(), row.failure() == null ? "measured" : "not measured: " + row.failure());
        }
        System.err.printf("latency: %s; benchmarks/report makes tables and pictures of it%n", options.output());
    }
}
