package dev.yangtuo.cli;

import dev.yangtuo.Engine;
import dev.yangtuo.LlamaCppOptions.FlashAttention;
import dev.yangtuo.LlamaCppOptions;
import dev.yangtuo.LoadOptions;
import dev.yangtuo.model.DeviceChoice;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The options that choose an engine and devices, and say how llama.cpp computes. */
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

    @Option(names = "--gpu-layers", paramLabel = "N",
            description = {
                "Layers, counted from the last, that are kept on the devices of --device, or with llama.cpp on GPUs; 0 for none.",
                "Default: all of them, with --device auto as many as fit."
            })
    private @Nullable Integer gpuLayers;

    @Option(names = "--device", paramLabel = "NAME", split = ",",
            description = {
                "cpu; cuda, or cuda:0,cuda:1 for certain ones; auto: a CUDA device if one can compute the model, else the processor.",
                "With llama.cpp these, or what 'yangtuo doctor' lists, such as Vulkan0. Default: cpu; with llama.cpp all GPUs, else the processor."
            })
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
        if (spec.commandLine().getParseResult().hasMatchedOption(Main.VERBOSE)) {
            VerboseLog.show();
        }
        return Failures.asUsage(spec, () -> {
            boolean areOurs = DeviceChoice.knows(devices) || engine == Engine.YANGTUO && !devices.isEmpty();
            if (engine == Engine.YANGTUO && gpuLayers != null && devices.isEmpty()) {
                throw new IllegalArgumentException("gpuLayers is %d, and no device is named; add --device cuda".formatted(gpuLayers));
            }
            if (gpuLayers != null && gpuLayers > 0 && devices.size() == 1 && devices.getFirst().strip().equalsIgnoreCase("cpu")) {
                throw new IllegalArgumentException("gpuLayers is %d, and the device is the processor; name another one, as --device cuda, or leave out --gpu-layers".formatted(gpuLayers));
            }
            LlamaCppOptions llamaCpp = LlamaCppOptions.defaults()
                    .devices(areOurs ? List.of() : devices)
                    .flashAttention(flashAttention)
                    .sharedMemory(!separateMemory)
                    .mapped(!notMapped);
            llamaCpp = path.path() == null ? llamaCpp : llamaCpp.library(path.path());
            llamaCpp = gpuLayers == null || areOurs ? llamaCpp : llamaCpp.gpuLayers(gpuLayers);
            LoadOptions ours = areOurs ? options.device(devices.toArray(String[]::new)) : options;
            ours = gpuLayers == null || !areOurs ? ours : ours.gpuLayers(gpuLayers);
            return ours.engine(engine).llamaCpp(llamaCpp);
        });
    }
}
