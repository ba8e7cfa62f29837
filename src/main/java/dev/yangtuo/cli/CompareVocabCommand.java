package dev.yangtuo.cli;

import dev.yangtuo.Llama;
import dev.yangtuo.bench.Samples;
import dev.yangtuo.bench.TextTiming;
import dev.yangtuo.engine.Engines;
import dev.yangtuo.exception.YangtuoException;
import dev.yangtuo.model.LoadedModel;
import dev.yangtuo.model.Model;
import dev.yangtuo.tokenizer.TokenCounter;
import dev.yangtuo.tokenizer.TokenStatistics;
import dev.yangtuo.tokenizer.Tokenizer;
import dev.yangtuo.tokenizer.Utf8;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import picocli.CommandLine;

/** What a Chinese text costs with a Chinese vocabulary and without. */
@Command(
        name = "compare-vocab",
        mixinStandardHelpOptions = true,
        description = {
            "Compares what one text costs with several models or vocabularies: tokens, the time to read and to write 1,000 characters, the memory "
                    + "for their keys and values, and how many characters fit the context.",
            "Times are measured here; nothing else may run on the machine meanwhile. Models are loaded one after the other."
        },
        footer = {
            "--model and the --lora behind it are one model; both may be given again and again. Ratios are to the first model, or, without models, "
                    + "to the first tokenizer.",
            "docs/compare-vocabularies.md says how to read the figures.",
            "  yangtuo compare-vocab --text text.txt --model llama --model llama --lora chinese-lora --chart costs.png"
        })
final class CompareVocabCommand implements Callable<Integer> {
    /** A text is in memory together with its tokens. */
    private static final int MAX_TEXT_BYTES = 1 << 28;

    @Spec
    private CommandSpec spec;

    @Option(names = "--text", required = true, paramLabel = "FILE", description = "A text in UTF-8; - for standard input.")
    private String text;

    @ArgGroup(exclusive = false, multiplicity = "0..*")
    private List<ModelWithAdapters> models = new ArrayList<>(); // picocli adds to it

    @Option(names = "--tokenizer", paramLabel = "PATH",
            description = "A vocabulary without a model: a tokenizer.model file, a directory that holds one, or a GGUF file; may be given several "
                    + "times.")
    private List<Path> tokenizers = List.of();

    @Option(names = "--characters", paramLabel = "N", defaultValue = "2000",
            description = "Measure times on the first N characters of the text; 0 for all of them. Default: ${DEFAULT-VALUE}.")
    private int characters;

    @Option(names = "--generate", paramLabel = "N",
            description = "Tokens to generate in each run, for the time of as many as 1,000 characters take; 0 leaves that out. Default: as many as "
                    + "1,000 characters take.")
    private @Nullable Integer generate;

    @Option(names = {"-r", "--repeats"}, paramLabel = "N", defaultValue = "3",
            description = "Runs of each measurement, after one that does not count; their median is shown. Default: ${DEFAULT-VALUE}.")
    private int repeats;

    @Mixin
    private CompareVocabLoading loading;

    @ArgGroup
    private @Nullable Form form;

    @Option(names = {"--plot", "--chart"}, paramLabel = "FILE", description = "Also draw the ratios as bars, into this PNG file.")
    private @Nullable Path chart;

    /** One model; the group repeats. */
    private static final class ModelWithAdapters {
        @Option(names = "--model", required = true, paramLabel = "PATH", description = "A Hugging Face directory or a GGUF file.")
        private Path model;

        @Option(names = "--lora", paramLabel = "PATH[:SCALE]", converter = LoraArgument.Converter.class,
                description = "An adapter of the --model before it; several are merged in order.")
        private @Nullable List<LoraArgument> adapters; // with an initial list picocli would give the adapters of one model to another

        List<Path> adapterPaths() {
            return adapters == null ? List.of() : adapters.stream().map(LoraArgument::path).toList();
        }

        /** What the short name is made from: the model's path with the names of the adapters behind it. */
        Path named() {
            Path path = model.toAbsolutePath().normalize();
            StringBuilder name = new StringBuilder(String.valueOf(path.getFileName()));
            adapterPaths().forEach(adapter -> name.append(" + ").append(adapter.toAbsolutePath().normalize().getFileName()));
            return path.resolveSibling(name.toString());
        }
    }

    /** How the result is written, unless as text. */
    private static final class Form {
        @Option(names = "--json", description = "Write one JSON object.")
        private boolean json;

        @Option(names = "--markdown", description = "Write Markdown.")
        private boolean markdown;
    }

    /**
     * The text, and how its beginning is timed.
     *
     * @param timed the characters on which times are measured
     */
    private record Text(byte[] utf8, String timed) {
        int timedCharacters() {
            return timed.codePointCount(0, timed.length());
        }
    }

    @Override
    public Integer call() throws IOException {
        checkOptions();
        loading.check();
        TextFile file = TextFile.of(text);
        file.check();
        Text read = read(file);
        AtomicBoolean interrupted = new AtomicBoolean();
        try (InterruptGuard _ = new InterruptGuard(() -> interrupted.set(true))) {
            return chart == null ? write(compare(read, interrupted)) : draw(read, chart, interrupted);
        }
    }

    private int draw(Text read, Path file, AtomicBoolean interrupted) throws IOException {
        ChartStyle.requireFonts();
        try (ResultFile picture = ResultFile.create(file)) {
            VocabularyComparison comparison = compare(read, interrupted);
            picture.write(VocabularyComparisonChart.png(comparison));
            picture.complete();
            ChartStyle.noteMissingGlyphs(VocabularyComparisonChart.withoutGlyph(comparison), file, spec.commandLine().getErr());
            return write(comparison);
        }
    }

    private void checkOptions() {
        int count = models.size() + tokenizers.size();
        if (count == 0) {
            throw wrong("there is nothing to compare; name models with --model, or vocabularies with --tokenizer");
        }
        if (characters < 0) {
            throw wrong("--characters is %d, must be at least 0".formatted(characters));
        }
        if (generate != null && (generate < 0 || generate > 1 << 20)) {
            throw wrong("--generate is %d, must be 0 to %d".formatted(generate, 1 << 20));
        }
        if (repeats < 1 || repeats > 10_000) {
            throw wrong("--repeats is %d, must be 1 to 10000".formatted(repeats));
        }
        if (chart != null && !chart.toString().toLowerCase(Locale.ROOT).endsWith(".png")) {
            throw wrong("--plot %s: the name must end in .png, for that is what is drawn".formatted(chart));
        }
        if (chart != null && count > VocabularyComparisonChart.MAX_SUBJECTS) {
            throw wrong("--plot: %d bars of a group cannot be told apart; at most %d are drawn".formatted(count, VocabularyComparisonChart.MAX_SUBJECTS));
        }
    }

    private CommandLine.ParameterException wrong(String problem) {
        return new CommandLine.ParameterException(spec.commandLine(), problem);
    }

    private Text read(TextFile file) throws IOException {
        byte[] utf8;
        try (InputStream in = file.open()) {
            utf8 = in.readNBytes(MAX_TEXT_BYTES + 1);
        }
        if (utf8.length > MAX_TEXT_BYTES) {
            throw new YangtuoException("%s: is longer than %d bytes; take a part of it".formatted(file.name(), MAX_TEXT_BYTES));
        }
        if (utf8.length == 0) {
            throw new YangtuoException("%s: is empty; there is nothing to compare".formatted(file.name()));
        }
        String whole = Utf8.decode(utf8);
        int count = whole.codePointCount(0, whole.length());
        String timed = characters == 0 || characters >= count ? whole : whole.substring(0, whole.offsetByCodePoints(0, characters));
        return new Text(utf8, timed);
    }

    private VocabularyComparison compare(Text read, AtomicBoolean interrupted) {
        List<Path> paths = new ArrayList<>(models.stream().map(ModelWithAdapters::named).toList());
        paths.addAll(tokenizers);
        List<String> names = ShortNames.of(paths);
        // What can be wrong with them is said before the first model is measured.
        List<Tokenizer> vocabularies = tokenizers.stream().map(Llama::loadTokenizer).toList();
        List<VocabularyComparison.Subject> subjects = new ArrayList<>();
        for (int i = 0; i < models.size(); i++) {
            VocabularyComparison.Subject subject = measure(names.get(i), models.get(i), read, () -> !interrupted.get());
            if (subject != null) {
                subjects.add(subject);
            }
        }
        for (int i = 0; i < tokenizers.size(); i++) {
            subjects.add(new VocabularyComparison.Subject(names.get(models.size() + i), tokenizers.get(i), List.of(), vocabularies.get(i).vocabSize(),
                    statistics(vocabularies.get(i), read), null));
        }
        if (subjects.isEmpty()) {
            throw new YangtuoException("interrupted before the first model was measured");
        }
        return new VocabularyComparison(text, models.isEmpty() ? 0 : read.timedCharacters(), repeats, subjects, interrupted.get());
    }

    private static TokenStatistics statistics(Tokenizer tokenizer, Text read) {
        TokenCounter counter = new TokenCounter(tokenizer);
        counter.add(read.utf8());
        return counter.statistics();
    }

    /** Null if it was not to go on. */
    private VocabularyComparison.@Nullable Subject measure(String name, ModelWithAdapters one, Text read, BooleanSupplier goesOn) {
        if (!goesOn.getAsBoolean()) {
            return null;
        }
        PrintWriter err = spec.commandLine().getErr();
        LoadedModel loaded = load(one, err);
        try (Model model = loaded.model(); ProgressDisplay display = new ProgressDisplay(err, name, new ProgressDisplay.Unit("tokens", 1))) {
            Tokenizer tokenizer = loaded.tokenizer();
            TokenStatistics statistics = statistics(tokenizer, read);
            int[] ids = tokenizer.encode(read.timed());
            if (ids.length == 0) {
                throw new YangtuoException("%s: the first %d characters are no token at all; take more".formatted(text, read.timedCharacters()));
            }
            double tokensPerUnit = (double) VocabularyComparison.UNIT * statistics.tokens() / statistics.characters();
            int write = generate == null ? Math.max(1, Math.toIntExact(Math.round(tokensPerUnit))) : generate;
            TextTiming.Result result = new TextTiming(model, tokenizer.bosId(), repeats, display::update, goesOn).measure(ids, write);
            if (result == null) {
                return null;
            }
            VocabularyComparison.ModelCost costs = new VocabularyComparison.ModelCost(
                    model.contextLength(),
                    TextTiming.windowTokens(model.contextLength(), tokenizer.bosId()),
                    model.costs().keyValueBytes(),
                    scaled(result.readSeconds(), (double) VocabularyComparison.UNIT / read.timedCharacters()),
                    result.writeSeconds() == null ? null : scaled(result.writeSeconds(), tokensPerUnit / write));
            return new VocabularyComparison.Subject(name, one.model, one.adapterPaths(), tokenizer.vocabSize(), statistics, costs);
        }
    }

    private LoadedModel load(ModelWithAdapters one, PrintWriter err) {
        try (ProgressDisplay display = new ProgressDisplay(err, "loading", ProgressDisplay.Unit.MEGABYTES)) {
            return Engines.load(one.model, loading.options(one.adapters == null ? List.of() : one.adapters).onProgress(display::update));
        }
    }

    private static Samples scaled(Samples samples, double factor) {
        return new Samples(samples.values().stream().map(value -> value * factor).toList());
    }

    private int write(VocabularyComparison comparison) throws IOException {
        PrintWriter out = spec.commandLine().getOut();
        if (form != null && form.json) {
            JsonResult.write(VocabularyComparisonJson.of(comparison), out);
        } else {
            out.print(form == null ? VocabularyComparisonText.plain(comparison) : VocabularyComparisonText.markdown(comparison));
        }
        StandardOutput.flush(out);
        return comparison.interrupted() ? InterruptGuard.EXIT_CODE : CommandLine.ExitCode.OK;
    }
}
