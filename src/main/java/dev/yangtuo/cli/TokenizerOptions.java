package dev.yangtuo.cli;

import dev.yangtuo.Llama;
import dev.yangtuo.tokenizer.Tokenizer;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The options of the commands that need a tokenizer and no weights. */
final class TokenizerOptions {
    @Option(names = "--model", paramLabel = "PATH",
            description = "A tokenizer.model file, a directory that holds one, or a GGUF file. Default: the demonstration model's with its Chinese pieces.")
    private @Nullable Path model;

    @Option(names = "--verbose", description = "Show where a failure happened.")
    private boolean verbose;

    boolean verbose() {
        return verbose;
    }

    Tokenizer load() {
        return Llama.loadTokenizer(model == null ? DemoModel.chineseLora() : model);
    }
}
