package dev.yangtuo.cli;

import dev.yangtuo.KvType;
import dev.yangtuo.Llama;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Writes the logits of given tokens, for comparison with other engines. */
@Command(
        name = "logits",
        mixinStandardHelpOptions = true,
        description = {
            "Computes the logits of each of the given tokens; nothing is added to them.",
            "Writes float32, little-endian, [tokens][vocabulary]. Weights and keys/values are f32 unless told otherwise."
        },
        footer = "  yangtuo logits --ids 1,2910,4918 --output logits.f32")
final class LogitsCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Mixin
    private ModelOptions model;

    @Option(names = ModelOptions.CONTEXT, paramLabel = "N", description = ModelOptions.CONTEXT_DESCRIPTION)
    private @Nullable Integer context;

    @Option(names = "--ids", required = true, split = "\\s*,\\s*", paramLabel = "ID", description = "Token ids, separated by commas.")
    private int[] ids;

    @Option(names = "--output", required = true, paramLabel = "FILE", description = "The file to write; moved into place when it is complete.")
    private Path output;

    @Option(names = "--json", description = "Write one JSON object about the file to standard output; docs/formats.md describes it.")
    private boolean json;

    @Override
    public Integer call() throws IOException {
        try (ResultFile file = ResultFile.create(output);
                Llama llama = model.load(ModelOptions.WeightTypeDefault.F32, KvType.F32, context, spec.commandLine().getErr())) {
            ByteBuffer row = ByteBuffer.allocate(Math.multiplyExact(llama.vocabSize(), Float.BYTES)).order(ByteOrder.LITTLE_ENDIAN);
            llama.logits(ids, (position, logits, offset) -> {
                row.asFloatBuffer().put(logits, offset, llama.vocabSize());
                file.write(row.array());
            });
            file.complete();
            report(llama.vocabSize());
            return CommandLine.ExitCode.OK;
        }
    }

    private void report(int vocabSize) throws IOException {
        if (!json) {
            spec.commandLine().getErr().println("%s: %d x %d float32".formatted(output, ids.length, vocabSize));
            return;
        }
        JsonResult.print(JsonResult.object().put("output", output.toString()).put("tokens", ids.length).put("vocab_size", vocabSize), spec);
    }
}
