package dev.yangtuo.cli;

import dev.yangtuo.LoadOptions;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The options of every command that merges adapters. */
final class LoraOptions {
    @Option(names = "--lora", paramLabel = "PATH[:SCALE]", converter = LoraArgument.Converter.class,
            description = "An adapter, a directory in PEFT's format or a GGUF file; several are merged in order. Its deltas are multiplied with SCALE. Default: 1.")
    private List<LoraArgument> adapters = List.of();

    @Option(names = "--lora-float16", description = "Round to float16 after each adapter, as PEFT does on a float16 base, instead of once at the end.")
    private boolean float16;

    @Option(names = "--merge-report", paramLabel = "FILE", description = "Write what each adapter changed to FILE as JSON.")
    private @Nullable Path report;

    /** Whether no adapter was named. */
    boolean isEmpty() {
        return adapters.isEmpty();
    }

    /** The options with what was given here. */
    LoadOptions applyTo(LoadOptions options) {
        LoadOptions applied = options.loraFloat16(float16);
        for (LoraArgument adapter : adapters) {
            applied = applied.lora(adapter.path(), adapter.scale());
        }
        return applied;
    }

    /**
     * Loads or converts, and writes the report if one was asked for: begun before, so that a file that cannot be written fails at once.
     *
     * @param json the report of what was made
     */
    <T> T reporting(Supplier<T> work, Function<T, String> json) {
        if (report == null) {
            return work.get();
        }
        try (ResultFile file = ResultFile.create(report)) {
            T result = work.get();
            try {
                file.write((json.apply(result) + "\n").getBytes(StandardCharsets.UTF_8));
                file.complete();
            } catch (RuntimeException e) {
                closeAfter(result, e);
                throw e;
            }
            return result;
        }
    }

    private static void closeAfter(Object result, RuntimeException failure) {
        if (result instanceof AutoCloseable closeable) {
            try {
                closeable.close();
            } catch (Exception e) {
                failure.addSuppressed(e);
            }
        }
    }
}
