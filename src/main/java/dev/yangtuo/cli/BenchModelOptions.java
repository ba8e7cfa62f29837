package dev.yangtuo.cli;

import dev.yangtuo.LoadOptions;
import dev.yangtuo.bench.SyntheticCache;
import dev.yangtuo.model.SyntheticShape;
import dev.yangtuo.tokenizer.SentencePieceModel;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import picocli.CommandLine;

/** Which model is measured: one that is there, or one that is made up. */
final class BenchModelOptions {
    @Spec(Spec.Target.MIXEE)
    private CommandSpec spec;

    @Option(names = "--model", paramLabel = "PATH",
            description = "A model of any kind that can be loaded. Without it and --shape: the demonstration base, and without --lora its Chinese adapter.")
    private @Nullable Path model;

    @Option(names = "--shape", paramLabel = "SHAPE", completionCandidates = ValueNames.Shapes.class,
            description = {
                "A model with random weights of this shape: tiny, 1b, 7b, 13b, or dim=2048,layers=22,heads=32,kv=4,ffn=5632,vocab=49953.",
                "It is made once as a GGUF file, which other programs read as well, and kept in the cache folder."
            })
    private @Nullable SyntheticShape shape;

    @Option(names = "--type", paramLabel = "TYPE", completionCandidates = ValueNames.WeightTypes.class,
            description = "Keep matrices as this type, one that convert knows, or, with --shape, make them so. Default: as the file stores them; with --shape q4_0.")
    private @Nullable WeightChoice type;

    @Option(names = "--tokenizer", paramLabel = "FILE", description = "With --shape: take the pieces of this SentencePiece model instead of made-up ones.")
    private @Nullable Path tokenizer;

    @Option(names = "--vocab", paramLabel = "N", description = "With --shape: this many pieces. Default: the tokenizer's, else 49953.")
    private @Nullable Integer vocabulary;

    @Option(names = "--synthetic-output", paramLabel = "FILE", description = "With --shape: write the model to this GGUF file, and measure nothing.")
    private @Nullable Path output;

    @Mixin
    private AdapterOptions adapters;

    @Mixin
    private EngineOptions engine;

    @Mixin
    private CacheOption cache;

    AdapterOptions adapters() {
        return adapters;
    }

    /** Whether a model is to be written, and nothing else. */
    boolean onlyWrites() {
        return output != null;
    }

    /** Makes sure that the options fit each other. */
    void check() {
        if (shape != null && model != null) {
            throw wrong("--shape excludes --model");
        }
        if (shape == null && (tokenizer != null || vocabulary != null || output != null)) {
            throw wrong("--tokenizer, --vocab and --synthetic-output are for --shape");
        }
        if (output != null && !output.toString().toLowerCase(Locale.ROOT).endsWith(".gguf")) {
            throw wrong("--synthetic-output %s: name a file that ends in .gguf".formatted(output));
        }
    }

    /** The adapters and the type that the model is loaded with; of a synthetic one the file has the type. */
    LoadOptions applyTo(LoadOptions options) {
        LoadOptions result = engine.applyTo(cache.applyTo(adapters.applyTo(options)));
        if (shape == null && model == null && adapters.isEmpty()) {
            result = result.lora(DemoModel.chineseLora());
        }
        return shape != null || type == null ? result : type.applyTo(result);
    }

    /** The file or directory to measure; makes it, if need be. */
    Path path(LoadOptions options, PrintWriter err) {
        if (shape == null) {
            return model == null ? DemoModel.base() : model;
        }
        SyntheticShape sized = sized(shape);
        WeightChoice choice = type == null ? WeightChoice.of("q4_0") : type;
        try (ProgressDisplay display = new ProgressDisplay(err, "writing", ProgressDisplay.Unit.MEGABYTES)) {
            LoadOptions settings = choice.applyTo(options.onProgress(display::update));
            if (output == null) {
                return SyntheticCache.file(sized, choice.name(), tokenizer, settings.settings());
            }
            SyntheticCache.write(sized, tokenizer, output, settings.settings());
            return output;
        }
    }

    private SyntheticShape sized(SyntheticShape given) {
        try {
            if (vocabulary != null) {
                return given.withVocabulary(vocabulary);
            }
            return tokenizer == null ? given : given.withVocabulary(SentencePieceModel.read(tokenizer).vocabulary().size());
        } catch (IllegalArgumentException e) {
            throw wrong(String.valueOf(e.getMessage()));
        }
    }

    private CommandLine.ParameterException wrong(String problem) {
        return new CommandLine.ParameterException(spec.commandLine(), problem);
    }
}
