package dev.yangtuo.benchmarks.compare;

import dev.yangtuo.LoadOptions;
import dev.yangtuo.WeightType;
import dev.yangtuo.bench.BenchTest;
import dev.yangtuo.bench.SyntheticCache;
import dev.yangtuo.benchmarks.Shell;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Compares programs in turns: for each file and test round after round, and in each round every program, so that what else happens on the machine meets all of
 * them. The result is written anew after each row, so that an interrupted comparison keeps what it has.
 */
public final class Compare {
    private final CompareOptions options;
    private final String commandLine;
    private final Comparison comparison;
    private final ProgramRun run;

    private Compare(CompareOptions options, String commandLine) {
        this.options = options;
        this.commandLine = commandLine;
        this.comparison = new Comparison(options.competitors().stream().map(Competitor::name).toList());
        this.run = new ProgramRun(options.timeoutSeconds());
    }

    /**
     * Runs it.
     *
     * @param arguments see {@code benchmarks/compare -h}
     * @throws IOException if the result cannot be written
     * @throws InterruptedException if waiting is interrupted
     */
    public static void main(String[] arguments) throws IOException, InterruptedException {
        CompareOptions options;
        try {
            options = CompareOptions.parse(arguments);
        } catch (IllegalArgumentException e) {
            System.err.println("compare: " + e.getMessage());
            System.exit(2);
            return;
        }
        new Compare(options, "benchmarks/compare " + Shell.command(List.of(arguments))).run();
    }

    private void run() throws IOException, InterruptedException {
        Files.createDirectories(options.output().getParent());
        List<Path> models = new ArrayList<>(options.models());
        for (WeightType type : options.types()) {
            models.add(synthetic(type));
        }
        for (Path model : models) {
            for (BenchTest test : options.tests()) {
                compare(model, test);
                write();
            }
        }
        System.out.print(new ComparisonText(comparison, options, commandLine).markdown());
    }

    /** The file is the one that {@code yangtuo bench --shape} would use. */
    private Path synthetic(WeightType type) {
        LoadOptions load = LoadOptions.defaults().threads(options.threads()).quantize(type);
        progress("model %s %s".formatted(options.shape().name(), type.name().toLowerCase(Locale.ROOT)));
        return SyntheticCache.file(options.shape(), type.name(), null, load.settings());
    }

    private void compare(Path model, BenchTest test) throws InterruptedException {
        Comparison.Row row = comparison.addRow(model.getFileName().toString(), test);
        for (int round = 1; round <= options.rounds(); round++) {
            for (Competitor competitor : options.competitors()) {
                Comparison.Cell cell = row.cell(competitor.name());
                if (cell == null || cell.failure() == null) { // what failed once would fail again
                    String outcome = measure(row, competitor, model);
                    progress("%s %s, round %d of %d: %s %s".formatted(row.model(), test.name(), round, options.rounds(), competitor.name(), outcome));
                }
            }
        }
    }

    private String measure(Comparison.Row row, Competitor competitor, Path model) throws InterruptedException {
        @Nullable Program program = competitor.programFor(row.test());
        if (program == null) {
            comparison.fail(row, competitor.name(), null, "no program for such a test");
            return "has no program for it";
        }
        List<String> command = program.command(model, row.test(), options.threads(), options.repeats());
        try {
            ProgramOutput output = run.run(program, command, row.test()).against(options.ceilings());
            comparison.add(row, competitor.name(), command, output);
            return String.format(Locale.ROOT, "%.2f tokens/s", output.tokensPerSecond().stream().mapToDouble(Double::doubleValue).average().orElseThrow());
        } catch (IllegalStateException e) {
            comparison.fail(row, competitor.name(), command, String.valueOf(e.getMessage()));
            return "failed: " + e.getMessage();
        }
    }

    private void write() throws IOException {
        Files.writeString(beside(".md"), new ComparisonText(comparison, options, commandLine).markdown());
        Files.writeString(beside(".json"), ComparisonJson.of(comparison, options, commandLine));
        ComparisonChart.write(comparison, beside(".png"));
    }

    private Path beside(String ending) {
        return options.output().resolveSibling(options.output().getFileName() + ending);
    }

    private static void progress(String line) {
        System.err.println("compare: " + line);
    }
}
