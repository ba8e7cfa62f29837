package dev.yangtuo.cli;

import dev.yangtuo.KvType;
import dev.yangtuo.Llama;
import dev.yangtuo.Perplexity;
import dev.yangtuo.PerplexityMethod;
import dev.yangtuo.PerplexityOptions;
import dev.yangtuo.exception.YangtuoException;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Measures how well a model predicts a text, for comparing weight types, adapters and engines. */
@Command(
        name = "perplexity",
        mixinStandardHelpOptions = true,
        description = {
            "Measures how well a model predicts a text: its perplexity, and nats and bits of a token, a character and a byte.",
            "Figures are comparable if text, vocabulary, method and context are the same; those of characters and bytes between vocabularies, too."
        },
        footer = {
            "  yangtuo perplexity --text text.txt",
            "  yangtuo perplexity --model model.gguf --text text.txt --method llama.cpp --context 512 --json"
        })
final class PerplexityCommand implements Callable<Integer> {
    private static final ProgressDisplay.Unit KILOBYTES = new ProgressDisplay.Unit("KB", 1000);

    @Spec
    private CommandSpec spec;

    @Mixin
    private ModelOptions model;

    @Option(names = "--text", required = true, paramLabel = "FILE", description = "A text in UTF-8; - for standard input. It may be larger than memory.")
    private String text;

    @Option(names = "--method", paramLabel = "METHOD", completionCandidates = ValueNames.PerplexityMethods.class,
            description = {
                "windows: every token is scored, in consecutive windows after a beginning of sequence each.",
                "llama.cpp: as llama-perplexity does, the second half of each window. Default: windows."
            })
    private PerplexityMethod method = PerplexityMethod.WINDOWS;

    @Option(names = "--context", paramLabel = "N",
            description = "Tokens of a window, beginning of sequence included. Default: 256, or the model's context if that is shorter.")
    private @Nullable Integer context;

    @Option(names = "--json", description = "Write one JSON object instead of text; docs/formats.md describes it.")
    private boolean json;

    @Override
    public Integer call() throws IOException {
        PrintWriter err = spec.commandLine().getErr();
        PerplexityOptions options = options();
        TextFile file = TextFile.of(text);
        file.check();
        try (Llama llama = model.load(ModelOptions.WeightTypeDefault.OF_FILE, KvType.F16, err)) {
            long start = System.nanoTime();
            Perplexity result = measure(llama, file, options, err);
            double seconds = (System.nanoTime() - start) / 1e9;
            PrintWriter out = spec.commandLine().getOut();
            if (json) {
                JsonResult.write(PerplexityReport.json(result, seconds), out);
            } else {
                out.print(PerplexityReport.text(result, seconds));
            }
            StandardOutput.flush(out);
            return CommandLine.ExitCode.OK;
        }
    }

    private PerplexityOptions options() {
        PerplexityOptions options = PerplexityOptions.defaults().method(method);
        return context == null ? options : Failures.asUsage(spec, () -> options.context(context));
    }

    /** Measures a file, with progress on {@code err}. */
    static Perplexity measure(Llama llama, TextFile file, PerplexityOptions options, PrintWriter err) throws IOException {
        long size = file.size();
        try (InputStream in = file.open();
                ProgressDisplay display = new ProgressDisplay(err, "perplexity", KILOBYTES)) {
            return llama.perplexity(in, options.onProgress(soFar -> display.update(
                    soFar.textBytes(), size, String.format(Locale.ROOT, "%d windows: %.4f", soFar.windows(), soFar.value()))));
        } catch (YangtuoException e) {
            throw new YangtuoException("%s: %s".formatted(file.name(), e.getMessage()), e);
        }
    }
}
