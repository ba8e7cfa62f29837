package dev.yangtuo.cli;

import dev.yangtuo.Engine;
import dev.yangtuo.LlamaCppOptions.FlashAttention;
import dev.yangtuo.LlamaCppOptions;
import dev.yangtuo.LoadOptions;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The options that choose an engine, and say how llama.cpp computes. */
final class EngineOptions {
    @Spec(Spec.Target.MIXEE)
    private CommandSpec spec;

    @Option(names = "--engine", paramLabel = "ENGINE", completionCandidates = ValueNames.Engines.class,
            description = {
                "yangtuo, llama.cpp (its shared library must be there), or auto: yangtuo where it can run the model on the device that is asked for.",
                "Default: auto."
            })
    private Engine engine = Engine.AUTO;

    @Mixin
    private EnginePathOption path;

    @Option(names = "--gpu-layers", paramLabel = "N", description = "With llama.cpp: layers that are kept on GPUs, 0 for none. Default: all, where there is a GPU.")
    private @Nullable Integer gpuLayers;

    @Option(names = "--device", paramLabel = "NAME", split = ",",
            description = "With llama.cpp: devices that compute, as 'yangtuo doctor' names them, such as CUDA0 or CPU. Default: all GPUs, else the processor.")
    private List<String> devices = List.of();

    @Option(names = "--flash-attention", paramLabel = "WHEN", completionCandidates = ValueNames.FlashAttentions.class,
            description = "With llama.cpp: on, off, or auto, where the device has it. Default: auto.")
    private FlashAttention flashAttention = FlashAttention.AUTO;

    @Option(names = "--no-kv-unified",
            description = "With llama.cpp: give each text a memory of a whole context of its own, which is faster for many texts that have nothing in common.")
    private boolean separateMemory;

    @Option(names = "--no-mmap", description = "With llama.cpp: read the model's file instead of mapping it.")
    private boolean notMapped;

    LoadOptions applyTo(LoadOptions options) {
        return Failures.asUsage(spec, () -> {
            LlamaCppOptions llamaCpp = LlamaCppOptions.defaults()
                    .devices(devices)
                    .flashAttention(flashAttention)
                    .sharedMemory(!separateMemory)
                    .mapped(!notMapped);
            llamaCpp = path.path() == null ? llamaCpp : llamaCpp.library(path.path());
            llamaCpp = gpuLayers == null ? llamaCpp : llamaCpp.gpuLayers(gpuLayers);
            return options.engine(engine).llamaCpp(llamaCpp);
        });
    }
}
