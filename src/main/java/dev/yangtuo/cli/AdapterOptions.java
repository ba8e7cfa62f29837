package dev.yangtuo.cli;

import dev.yangtuo.LoadOptions;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The options of every command that merges adapters. */
final class AdapterOptions {
    @Option(names = "--lora", paramLabel = "PATH[:SCALE]", converter = LoraArgument.Converter.class,
            description = "An adapter, a directory in PEFT's format or a GGUF file; several are merged in order. Its deltas are multiplied with SCALE.")
    private List<LoraArgument> adapters = List.of();

    @Option(names = "--lora-float16", description = "Round to float16 after each adapter, as PEFT does on a float16 base, instead of once at the end.")
    private boolean float16;

    @Option(names = "--merge-report", paramLabel = "FILE", description = "Write what each adapter changed to FILE as JSON.")
    private @Nullable Path report;

    /** Whether no adapter is named. */
    boolean isEmpty() {
        return adapters.isEmpty();
    }

    LoadOptions applyTo(LoadOptions options) {
        return applyTo(options, adapters);
    }

    /** @param others merged instead of the adapters named here */
    LoadOptions applyTo(LoadOptions options, List<LoraArgument> others) {
        LoadOptions result = options.loraFloat16(float16);
        for (LoraArgument adapter : others) {
            result = result.lora(adapter.path(), adapter.scale());
        }
        return result;
    }

    /**
     * Does the work and writes its report, if that is asked for; a place that cannot be written is said before the work.
     *
     * @param json the report
     * @param undo what to do with the work's result if the report cannot be written
     */
    <T> T reporting(Supplier<T> work, Function<T, String> json, Consumer<T> undo) {
        if (report == null) {
            return work.get();
        }
        try (ResultFile file = ResultFile.create(report)) {
            T result = work.get();
            try {
                file.write((json.apply(result) + "\n").getBytes(StandardCharsets.UTF_8));
                file.complete();
                return result;
            } catch (RuntimeException e) {
                undo.accept(result);
                throw e;
            }
        }
    }
}
