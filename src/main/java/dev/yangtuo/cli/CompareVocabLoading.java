package dev.yangtuo.cli;

import dev.yangtuo.BackendType;
import dev.yangtuo.KvType;
import dev.yangtuo.LoadOptions;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import picocli.CommandLine;

/** How all models of a comparison are loaded. */
final class CompareVocabLoading {
    @Spec(Spec.Target.MIXEE)
    private CommandSpec spec;

    @Option(names = ModelOptions.CONTEXT, paramLabel = "N", description = "Tokens that a text can have, of all models. Default: each model's.")
    private @Nullable Integer context;

    @Option(names = "--quantize", paramLabel = "TYPE", completionCandidates = ValueNames.WeightTypes.class,
            description = "Keep the matrices of all models as this type, one that convert knows. Default: as the files store them.")
    private @Nullable WeightChoice quantize;

    @Option(names = "--kv-type", paramLabel = "TYPE", defaultValue = "f16", completionCandidates = ValueNames.KvTypes.class,
            description = "Keep keys and values as f16, f32, bf16, q8_0 or q4_0. Default: ${DEFAULT-VALUE}.")
    private KvType kvType;

    @Option(names = "--backend", paramLabel = "BACKEND", defaultValue = "auto", completionCandidates = ValueNames.Backends.class,
            description = "native, scalar (plain Java, slow), or auto: native where it can be loaded. Default: ${DEFAULT-VALUE}.")
    private BackendType backend;

    @Option(names = {"-t", "--threads"}, paramLabel = "N", description = "Threads that compute. Default: all processors.")
    private @Nullable Integer threads;

    @Mixin
    private EngineOptions engine;

    @Mixin
    private CacheOption cache;

    /** Refuses what is out of range. */
    void check() {
        options(List.of());
        if (context != null && context < 2) {
            throw wrong("--context is %d, must be at least 2".formatted(context), null);
        }
    }

    /** @param adapters of the model */
    LoadOptions options(List<LoraArgument> adapters) {
        try {
            LoadOptions options = engine.applyTo(cache.applyTo(LoadOptions.defaults())).backend(backend).kvType(kvType).maxSequences(1);
            options = quantize == null ? options : quantize.applyTo(options);
            options = threads == null ? options : options.threads(threads);
            options = context == null ? options : options.context(context);
            for (LoraArgument adapter : adapters) {
                options = options.lora(adapter.path(), adapter.scale());
            }
            return options;
        } catch (IllegalArgumentException e) {
            throw wrong("--" + e.getMessage(), e);
        }
    }

    private CommandLine.ParameterException wrong(String problem, @Nullable Exception cause) {
        return new CommandLine.ParameterException(spec.commandLine(), problem, cause);
    }
}
