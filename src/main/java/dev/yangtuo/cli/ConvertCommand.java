package dev.yangtuo.cli;

import dev.yangtuo.ConvertOptions;
import dev.yangtuo.ConvertReport;
import dev.yangtuo.Llama;
import dev.yangtuo.LoadOptions;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Writes a model, with adapters merged, as another file or directory. */
@Command(
        name = "convert",
        mixinStandardHelpOptions = true,
        description = {
            "Writes a model as a GGUF file or a Hugging Face directory, with its adapters merged and its weights as another type.",
            "The result appears when it is complete; an interrupt leaves nothing behind."
        })
final class ConvertCommand implements Callable<Integer>, Verbose {
    @Spec
    private CommandSpec spec;

    @Option(names = "--model", required = true, paramLabel = "PATH", description = "A Hugging Face directory or a GGUF file.")
    private Path model;

    @Mixin
    private AdapterOptions adapters;

    @Option(names = "--output", required = true, paramLabel = "PATH",
            description = "A GGUF file if it ends in .gguf, replaced if it is there; else a Hugging Face directory.")
    private Path output;

    @Option(names = "--type", paramLabel = "TYPE",
            description = {
                "Write matrices as f32, f16 or bf16, and in GGUF also as q8_0, q4_0, q4_1, q5_0, q5_1, q4_k_s, q4_k_m, q5_k_s, q5_k_m or q6_k: llama.cpp's mixes.",
                "With ':pure' behind it every matrix is of the one type. Default: as the model stores them (in a directory: f16 instead of quantized types)."
            })
    private @Nullable WeightChoice type;

    @Mixin
    private RopeOptions rope;

    @Option(names = "--shard-size", paramLabel = "SIZE", defaultValue = "5GB",
            description = "Bytes of a file of a directory at most, as 5GB or 500MB (powers of ten). Default: ${DEFAULT-VALUE}.")
    private ByteCount shardSize;

    @Option(names = "--force", description = "Replace a model directory that is there.")
    private boolean force;

    @Option(names = "--threads", paramLabel = "N", description = "Threads that compute. Default: all processors.")
    private @Nullable Integer threads;

    @Option(names = "--verbose", description = "Show where a failure happened.")
    private boolean verbose;

    @Override
    public boolean verbose() {
        return verbose;
    }

    @Override
    public Integer call() {
        PrintWriter err = spec.commandLine().getErr();
        LoadOptions options = loadOptions();
        ConvertReport report = adapters.reporting(() -> convert(options, err), ConvertReport::mergeJson, _ -> {});
        err.println(report.describe());
        return CommandLine.ExitCode.OK;
    }

    private ConvertReport convert(LoadOptions options, PrintWriter err) {
        try (ProgressDisplay display = new ProgressDisplay(err, "converting", ProgressDisplay.Unit.MEGABYTES)) {
            return Llama.convert(model, output, options.onProgress(display::update), convertOptions());
        } catch (IllegalArgumentException e) {
            throw new CommandLine.ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
        }
    }

    private LoadOptions loadOptions() {
        LoadOptions options = rope.applyTo(adapters.applyTo(LoadOptions.defaults()));
        options = type == null ? options : type.applyTo(options);
        try {
            return threads == null ? options : options.threads(threads);
        } catch (IllegalArgumentException e) {
            throw new CommandLine.ParameterException(spec.commandLine(), "--" + e.getMessage(), e);
        }
    }

    private ConvertOptions convertOptions() {
        return ConvertOptions.defaults().shardBytes(shardSize.bytes()).replaceDirectory(force);
    }
}
