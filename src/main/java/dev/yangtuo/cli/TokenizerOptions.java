package dev.yangtuo.cli;

import dev.yangtuo.Engine;
import dev.yangtuo.Llama;
import dev.yangtuo.LlamaCppOptions;
import dev.yangtuo.LoadOptions;
import dev.yangtuo.tokenizer.Tokenizer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The options of the commands that need a tokenizer and no weights. */
final class TokenizerOptions {
    @Spec(Spec.Target.MIXEE)
    private CommandSpec spec;

    @Option(names = "--model", paramLabel = "PATH",
            description = "A tokenizer.model file, a directory that holds one, or a GGUF file. Default: the demonstration model's with its Chinese pieces.")
    private List<Path> models = List.of();

    @Option(names = "--engine", paramLabel = "ENGINE", completionCandidates = ValueNames.Engines.class,
            description = "Whose tokenizer: yangtuo, llama.cpp (of a GGUF file), or auto: yangtuo's where it knows the kind. Default: auto.")
    private Engine engine = Engine.AUTO;

    @Mixin
    private EnginePathOption path;

    /** How many models the command line names. */
    int count() {
        return models.size();
    }

    /** The tokenizer of a command that takes one. */
    Tokenizer load() {
        return load(engine);
    }

    /** The same, whatever engine is asked for. */
    Tokenizer load(Engine other) {
        if (models.size() > 1) {
            throw new CommandLine.ParameterException(spec.commandLine(), "--model is given %d times, expected once".formatted(models.size()));
        }
        return load(paths().getFirst(), other);
    }

    private Tokenizer load(Path model, Engine whose) {
        LlamaCppOptions llamaCpp = path.path() == null ? LlamaCppOptions.defaults() : LlamaCppOptions.defaults().library(path.path());
        return Llama.loadTokenizer(model, LoadOptions.defaults().engine(whose).llamaCpp(llamaCpp));
    }

    /** Whether an engine is named. */
    boolean namesEngine() {
        return engine != Engine.AUTO;
    }

    /** The tokenizers of a command that compares several. */
    List<StatisticsReport.NamedTokenizer> loadAll() {
        List<Path> paths = paths();
        List<String> names = ShortNames.of(paths);
        List<StatisticsReport.NamedTokenizer> tokenizers = new ArrayList<>();
        for (int i = 0; i < paths.size(); i++) {
            tokenizers.add(new StatisticsReport.NamedTokenizer(names.get(i), paths.get(i), load(paths.get(i), engine)));
        }
        return tokenizers;
    }

    private List<Path> paths() {
        return models.isEmpty() ? List.of(DemoModel.chineseLora()) : models;
    }
}
