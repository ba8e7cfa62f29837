package dev.yangtuo.cli;

import dev.yangtuo.tokenizer.EncodeOptions;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code tokenize --stats}: what is read, and how the statistics are shown. */
final class StatisticsFlags {
    @Spec(Spec.Target.MIXEE)
    private CommandSpec spec;

    @Parameters(paramLabel = "FILE", arity = "0..*", description = "With --stats: the texts, - for standard input. Default: standard input.")
    private List<String> files = List.of();

    @Option(names = "--plot", paramLabel = "FILE", description = "With --stats: also draw the tokens per character as bars, into this PNG file.")
    private @Nullable Path plot;

    /** Refuses what means nothing without --stats. */
    void requireNone() {
        if (!files.isEmpty()) {
            throw usage("'%s': files are read with --stats alone; without it standard input is: yangtuo tokenize < FILE".formatted(files.getFirst()));
        }
        if (plot != null) {
            throw usage("--plot is for --stats; add it");
        }
    }

    /**
     * Counts and shows. Whatever can be known to be wrong is said before the first text is read.
     *
     * @param json whether an object is written instead of tables
     */
    void run(TokenizerOptions tokenizers, EncodeOptions options, boolean json) throws IOException {
        List<TextFile> texts = files.isEmpty() ? List.of(TextFile.STANDARD_INPUT) : files.stream().map(TextFile::of).toList();
        if (texts.stream().filter(TextFile.STANDARD_INPUT::equals).count() > 1) {
            throw usage("'-' is named more than once, but standard input can be read once");
        }
        if (plot != null) {
            checkPlot(plot, texts.size(), tokenizers.count());
        }
        texts.forEach(TextFile::check);
        if (plot == null) {
            write(count(tokenizers, texts, options), json);
            return;
        }
        ChartStyle.requireFonts();
        try (ResultFile picture = ResultFile.create(plot)) {
            StatisticsReport report = count(tokenizers, texts, options);
            picture.write(StatisticsChart.png(report));
            picture.complete();
            write(report, json);
            ChartStyle.noteMissingGlyphs(StatisticsChart.withoutGlyph(report), plot, spec.commandLine().getErr());
        }
    }

    private void checkPlot(Path file, int texts, int models) {
        if (!file.toString().toLowerCase(Locale.ROOT).endsWith(".png")) {
            throw usage("--plot %s: the name must end in .png, for that is what is drawn".formatted(file));
        }
        int bars = Math.multiplyExact(texts, Math.max(models, 1));
        if (bars > StatisticsChart.MAX_BARS) {
            throw usage("--plot: %d bars (%d texts, %d models) cannot be told apart; at most %d are drawn".formatted(
                    bars, texts, Math.max(models, 1), StatisticsChart.MAX_BARS));
        }
    }

    private StatisticsReport count(TokenizerOptions tokenizers, List<TextFile> texts, EncodeOptions options) {
        List<StatisticsReport.NamedTokenizer> models = tokenizers.loadAll();
        try (ProgressDisplay display = new ProgressDisplay(spec.commandLine().getErr(), "counting", ProgressDisplay.Unit.MEGABYTES)) {
            return StatisticsReport.of(models, texts, options, display);
        }
    }

    private void write(StatisticsReport report, boolean json) throws IOException {
        PrintWriter out = spec.commandLine().getOut();
        if (json) {
            JsonResult.write(StatisticsJson.of(report), out);
        } else {
            out.print(StatisticsTable.of(report));
        }
        StandardOutput.flush(out);
    }

    private CommandLine.ParameterException usage(String problem) {
        return new CommandLine.ParameterException(spec.commandLine(), problem);
    }
}
