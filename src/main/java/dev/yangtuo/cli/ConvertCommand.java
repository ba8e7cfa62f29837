package dev.yangtuo.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.yangtuo.ConvertOptions;
import dev.yangtuo.ConvertReport;
import dev.yangtuo.Llama;
import dev.yangtuo.LoadOptions;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Locale;
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
        },
        footer = {
            "  yangtuo convert --model path/to/llama --lora path/to/chinese-lora --type q4_k_m --output chinese-llama.gguf",
            "  yangtuo convert --model model.gguf --output llama-directory --shard-size 2GB"
        })
final class ConvertCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Option(names = "--model", paramLabel = "PATH",
            description = "A Hugging Face directory or a GGUF file. Without it: the demonstration base, and without --lora its Chinese adapter.")
    private @Nullable Path model;

    @Mixin
    private AdapterOptions adapters;

    @Option(names = "--output", required = true, paramLabel = "PATH",
            description = "A GGUF file if it ends in .gguf, replaced if it is there; else a Hugging Face directory.")
    private Path output;

    @Option(names = "--type", paramLabel = "TYPE", completionCandidates = ValueNames.WeightTypes.class,
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

    @Option(names = {"-t", "--threads"}, paramLabel = "N", description = "Threads that compute. Default: all processors.")
    private @Nullable Integer threads;

    @Option(names = "--json", description = "Write one JSON object about the result to standard output; docs/formats.md describes it.")
    private boolean json;

    @Override
    public Integer call() throws IOException {
        PrintWriter err = spec.commandLine().getErr();
        LoadOptions options = loadOptions();
        ConvertReport report = adapters.reporting(() -> convert(options, err), ConvertReport::mergeJson, _ -> {});
        if (json) {
            JsonResult.print(object(report), spec);
        } else {
            err.println(report.describe());
        }
        return CommandLine.ExitCode.OK;
    }

    private static ObjectNode object(ConvertReport report) throws IOException {
        ObjectNode object = JsonResult.object()
                .put("model", report.model().toString())
                .put("output", report.output().toString())
                .put("base_vocab_size", report.baseVocabSize())
                .put("vocab_size", report.vocabSize());
        ArrayNode types = object.putArray("types");
        report.weightTypes().forEach(type -> types.add(type.toLowerCase(Locale.ROOT)));
        object.put("bytes", report.byteSize()).put("files", report.files());
        object.set("adapters", new ObjectMapper().readTree(report.mergeJson()).get("adapters"));
        return object.put("seconds", report.time().toNanos() / 1e9);
    }

    private ConvertReport convert(LoadOptions options, PrintWriter err) {
        try (ProgressDisplay display = new ProgressDisplay(err, "converting", ProgressDisplay.Unit.MEGABYTES)) {
            return Llama.convert(model == null ? DemoModel.base() : model, output, options.onProgress(display::update), convertOptions());
        } catch (IllegalArgumentException e) {
            throw new CommandLine.ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
        }
    }

    private LoadOptions loadOptions() {
        boolean demo = model == null && adapters.isEmpty();
        LoadOptions base = demo ? LoadOptions.defaults().lora(DemoModel.chineseLora()) : LoadOptions.defaults();
        LoadOptions options = rope.applyTo(adapters.applyTo(base));
        LoadOptions typed = type == null ? options : type.applyTo(options);
        return threads == null ? typed : Failures.asUsage(spec, () -> typed.threads(threads));
    }

    private ConvertOptions convertOptions() {
        return ConvertOptions.defaults().shardBytes(shardSize.bytes()).replaceDirectory(force);
    }
}
