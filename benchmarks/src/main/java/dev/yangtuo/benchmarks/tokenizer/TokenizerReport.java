package dev.yangtuo.benchmarks.tokenizer;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.CommandLineOptionException;
import org.openjdk.jmh.runner.options.CommandLineOptions;
import org.openjdk.jmh.runner.options.OptionsBuilder;

/**
 * Runs JMH with its usual arguments, then prints what the tokenizer's benchmarks say as Markdown: throughput in MB/s and tokens, each
 * encoder against ours, and awkward texts against ordinary ones.
 */
public final class TokenizerReport {
    private static final String OURS = "yangtuo";

    private TokenizerReport() {}

    /**
     * Runs and prints.
     *
     * @param arguments JMH's
     * @throws CommandLineOptionException if JMH does not understand them
     * @throws RunnerException if no benchmark has that name, or one fails
     * @throws IOException if the help cannot be written
     */
    public static void main(String[] arguments) throws CommandLineOptionException, RunnerException, IOException {
        CommandLineOptions options = new CommandLineOptions(arguments);
        if (options.shouldHelp()) {
            options.showHelp();
            return;
        }
        // A wrong result must not end as a row that is missing.
        Collection<RunResult> results = new Runner(new OptionsBuilder().parent(options).shouldFailOnError(true).build()).run();
        printThroughput("TokenizerBenchmark.encode", "Encoding again and again", results);
        printThroughput("TokenizerBenchmark.encodeFirstTime", "Encoding for the first time", results);
        printBatches(results);
        printLinearity(results);
    }

    private static List<RunResult> of(String benchmark, Collection<RunResult> results) {
        return results.stream().filter(result -> result.getParams().getBenchmark().endsWith("." + benchmark)).toList();
    }

    /** One row for each encoder; those that did the same work, a model's with a corpus in units, stand together and are compared with ours. */
    private static void printThroughput(String benchmark, String title, Collection<RunResult> results) {
        Map<String, List<RunResult>> groups = new LinkedHashMap<>();
        for (RunResult row : of(benchmark, results)) {
            groups.computeIfAbsent(workOf(row), key -> new ArrayList<>()).add(row);
        }
        if (groups.isEmpty()) {
            return;
        }
        System.out.printf("%n%s (%s)%n%n", title, benchmark);
        System.out.println("| model | corpus | call | encoder | MB/s | million tokens/s | yangtuo is so many times as fast |");
        System.out.println("| --- | --- | --- | --- | ---: | ---: | ---: |");
        groups.forEach((work, rows) -> {
            double ours = rows.stream().filter(row -> row.getParams().getParam("encoder").equals(OURS))
                    .mapToDouble(row -> secondary(row, "megabytes")).findFirst().orElse(Double.NaN);
            for (RunResult row : rows) {
                double megabytes = secondary(row, "megabytes");
                System.out.printf("| %s | %s | %.2f | %.2f | %s |%n", work, row.getParams().getParam("encoder"), megabytes,
                        secondary(row, "megatokens"), Double.isNaN(ours) ? "" : "%.1f".formatted(ours / megabytes));
            }
        });
    }

    /** Throughputs of {@code encodeAll} beside those of one call after the other. */
    private static void printBatches(Collection<RunResult> results) {
        List<RunResult> together = of("TokenizerBatchBenchmark.together", results);
        List<RunResult> oneByOne = of("TokenizerBatchBenchmark.oneByOne", results);
        if (together.size() != oneByOne.size() || together.isEmpty()) {
            return;
        }
        System.out.printf("%nMany lines, %d processors (TokenizerBatchBenchmark)%n%n", Runtime.getRuntime().availableProcessors());
        System.out.println("| model | corpus | one by one, MB/s | encodeAll, MB/s | times as fast |");
        System.out.println("| --- | --- | ---: | ---: | ---: |");
        for (int i = 0; i < together.size(); i++) { // both in the order of their parameters
            double before = secondary(oneByOne.get(i), "megabytes");
            double after = secondary(together.get(i), "megabytes");
            System.out.printf("| %s | %s | %.2f | %.2f | %.2f |%n", together.get(i).getParams().getParam("model"),
                    together.get(i).getParams().getParam("corpus"), before, after, after / before);
        }
    }

    private static String workOf(RunResult row) {
        return "%s | %s | %s".formatted(row.getParams().getParam("model"), row.getParams().getParam("corpus"), row.getParams().getParam("unit"));
    }

    private static double secondary(RunResult row, String counter) {
        return row.getSecondaryResults().get(counter).getScore();
    }

    /** Times of a byte, and their ratios to the slowest ordinary text's. */
    private static void printLinearity(Collection<RunResult> results) {
        Map<String, List<RunResult>> groups = new LinkedHashMap<>();
        for (RunResult row : of("TokenizerLinearityBenchmark.encodeByte", results)) {
            String group = "%s, %s".formatted(row.getParams().getParam("encoder"), row.getParams().getParam("model"));
            groups.computeIfAbsent(group, key -> new ArrayList<>()).add(row);
        }
        groups.forEach((group, rows) -> {
            List<Double> ordinary = rows.stream().filter(row -> Corpus.NAMES.contains(row.getParams().getParam("text")))
                    .map(row -> row.getPrimaryResult().getScore()).toList();
            System.out.printf("%nTexts of 1 MiB (%s)%n%n", group);
            System.out.println("| text | ns per byte | MB/s | time against the slowest ordinary text |");
            System.out.println("| --- | ---: | ---: | ---: |");
            for (RunResult row : rows) {
                double nanos = row.getPrimaryResult().getScore();
                System.out.printf("| %s | %.2f | %.2f | %s |%n", row.getParams().getParam("text"), nanos, 1e3 / nanos,
                        ordinary.isEmpty() ? "" : "%.2f".formatted(nanos / Collections.max(ordinary)));
            }
        });
    }
}
