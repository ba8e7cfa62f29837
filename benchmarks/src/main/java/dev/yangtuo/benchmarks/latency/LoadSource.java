package dev.yangtuo.benchmarks.latency;

import dev.yangtuo.LoadOptions;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;

/** What a model is loaded from. */
enum LoadSource {
    /** The GGUF file, or Jlama's directory. */
    FILE,
    /** The base of the demonstration model, in the type that is measured. */
    BASE,
    /** The same with its Chinese adapter. */
    ADAPTER;

    /** {@return the source of this name, in small letters} */
    static LoadSource of(String name) {
        return Arrays.stream(values()).filter(source -> source.toString().equals(name)).findFirst()
                .orElseThrow(() -> new IllegalArgumentException("from %s: expected file, base or adapter".formatted(name)));
    }

    /**
     * {@return an engine with the model}
     *
     * @throws IllegalStateException if it cannot run it, with a message that says why
     */
    LatencyEngine open(EngineSettings settings) {
        if (settings.engine() != EngineName.JLAMA) {
            return LlamaEngine.open(path(settings.model()), options(settings));
        }
        if (this != FILE) {
            throw new IllegalStateException("Jlama reads no adapters");
        }
        return JlamaEngine.open(settings);
    }

    /** {@return what we and llama.cpp load} */
    Path path(PreparedModel model) {
        return this == FILE ? model.gguf() : PreparedModel.demoFolder().resolve("base");
    }

    /** {@return how} */
    LoadOptions options(EngineSettings settings) {
        LoadOptions options = LlamaEngine.options(settings);
        if (this == FILE) {
            return options;
        }
        options = options.quantize(settings.model().type()
                .orElseThrow(() -> new IllegalArgumentException("from %s: only the demonstration model has a base and an adapter".formatted(this))));
        return this == BASE ? options : options.lora(PreparedModel.demoFolder().resolve("chinese-lora"));
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
