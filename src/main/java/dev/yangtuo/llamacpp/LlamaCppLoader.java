package dev.yangtuo.llamacpp;

import dev.yangtuo.LlamaCppOptions;
import dev.yangtuo.bindings.llamacpp.LlamaCpp;
import dev.yangtuo.bindings.llamacpp.llama_context_params;
import dev.yangtuo.bindings.llamacpp.llama_model_params;
import dev.yangtuo.bindings.llamacpp.llama_progress_callback;
import dev.yangtuo.exception.AdapterException;
import dev.yangtuo.exception.CheckpointFormatException;
import dev.yangtuo.exception.KernelException;
import dev.yangtuo.exception.YangtuoException;
import dev.yangtuo.model.GgufCosts;
import dev.yangtuo.model.LlamaCppFiles;
import dev.yangtuo.model.LoadPlan;
import dev.yangtuo.model.LoadSettings;
import dev.yangtuo.model.LoadedModel;
import dev.yangtuo.model.ModelCosts;
import dev.yangtuo.tensor.TensorType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Loads a model with llama.cpp: its files made ready by us, then {@code llama_model} and {@code llama_context} with as much memory as the settings ask for. */
public final class LlamaCppLoader {
    /** Columns of a pass. */
    private static final int COLUMNS = 512;
    private final LlamaCppLibrary library;
    private final LlamaCppFiles files;
    private final LoadSettings settings;
    private final LlamaCppOptions options;
    private final ModelCosts costs;
    private @Nullable Throwable listenerFailed;

    private LlamaCppLoader(LlamaCppLibrary library, LlamaCppFiles files, LoadSettings settings, LlamaCppOptions options) {
        this.library = library;
        this.files = files;
        this.settings = settings;
        this.options = options;
        this.costs = GgufCosts.of(files.file(), settings.kvType()).costs();
    }

    /**
     * Loads a model and its adapters.
     *
     * @param path a model of any kind that our engine can read, or a GGUF file of any architecture that llama.cpp knows
     * @throws dev.yangtuo.exception.NativeLibraryException if llama.cpp's library is not there, or does not fit
     * @throws CheckpointFormatException if a file is damaged, or llama.cpp refuses it
     * @throws KernelException if llama.cpp cannot make a context: usually for lack of memory
     */
    public static LoadedModel load(Path path, LoadSettings settings, LlamaCppOptions options) {
        long start = System.nanoTime();
        LlamaCppLibrary library = LlamaCppLibrary.load(options.library().orElse(null));
        LlamaCppFiles files = LlamaCppFiles.prepare(path, settings, (file, reason) -> LlamaCppTokenizers.instead(library, file, reason));
        return new LlamaCppLoader(library, files, settings, options).load(start);
    }

    /**
     * Says what memory a GGUF file will take. Reads headers only, and needs no library.
     *
     * @throws CheckpointFormatException if the file is damaged
     */
    public static LoadPlan plan(Path path, LoadSettings settings, LlamaCppOptions options) {
        GgufCosts costs = GgufCosts.of(path, settings.kvType());
        ContextSize size = ContextSize.of(path, costs.costs().keyValueBytes(), costs.contextLength(), costs.contextLength(), settings, options.sharedMemory());
        long buffers = Float.BYTES * ((long) COLUMNS * costs.width() + (long) size.numbers() * costs.vocabSize());
        return new LoadPlan(path, costs.tensorBytes(), (long) size.cells() * costs.costs().keyValueBytes(), buffers, size.contextLength(),
                (long) size.pages() * SequenceMemory.PAGE_POSITIONS, ContextSize.totalMemory(), List.of());
    }

    private LoadedModel load(long start) {
        Arena arena = Arena.ofShared();
        MemorySegment model = MemorySegment.NULL;
        MemorySegment context = MemorySegment.NULL;
        try {
            model = loadModel(arena);
            requireDecoder(model);
            boolean cuts = !LlamaCpp.llama_model_is_recurrent(model) && !LlamaCpp.llama_model_is_hybrid(model);
            boolean shares = cuts && options.sharedMemory();
            ContextSize size = ContextSize.of(files.path(), costs.keyValueBytes(), files.contextLength(), files.reach(), settings, shares);
            int columns = Math.max(COLUMNS, size.numbers());
            int outputs = Math.min(columns, Math.max(size.numbers(), LlamaCppModel.MAX_OUTPUT_COLUMNS + size.sequences()));
            requireMemory(size);
            MemorySegment parameters = contextParameters(arena, size, columns, outputs);
            context = newContext(model, parameters);
            applyAdapters(arena, model, context);
            LlamaCppModel.ModelFacts facts = new LlamaCppModel.ModelFacts(
                    LlamaCpp.llama_vocab_n_tokens(LlamaCpp.llama_model_get_vocab(model)),
                    LlamaCpp.llama_model_n_embd_out(model),
                    LlamaCpp.llama_model_n_layer(model),
                    files.eosIds(),
                    backendName(),
                    LlamaCpp.llama_model_size(model),
                    costs,
                    size.sequences(),
                    shares,
                    cuts,
                    Math.max(0, LlamaCpp.llama_model_n_swa(model)));
            LlamaCppModel loaded = new LlamaCppModel(library, new LlamaCppContext(arena, model, context, columns, outputs, size.numbers()), facts, size.contextLength(), size.pages());
            Duration time = Duration.ofNanos(System.nanoTime() - start);
            return new LoadedModel(files.path(), files.baseVocabSize(), loaded, files.tokenizer(), files.generation(), files.chatTemplate(), files.merge(),
                    files.weightTypes(), files.cache(), time);
        } catch (RuntimeException | Error e) {
            if (!context.equals(MemorySegment.NULL)) {
                LlamaCpp.llama_free(context);
            }
            if (!model.equals(MemorySegment.NULL)) {
                LlamaCpp.llama_model_free(model);
            }
            arena.close();
            throw e;
        }
    }

    private MemorySegment loadModel(Arena arena) {
        try (Arena calling = Arena.ofConfined(); LlamaCppLog.Capture errors = library.log().capture()) {
            MemorySegment parameters = LlamaCpp.llama_model_default_params(arena);
            setDevices(arena, parameters);
            llama_model_params.n_gpu_layers(parameters, options.gpuLayers().orElse(-1));
            llama_model_params.load_mode(parameters, options.mapped() ? LlamaCpp.LLAMA_LOAD_MODE_MMAP() : LlamaCpp.LLAMA_LOAD_MODE_NONE());
            llama_model_params.progress_callback(parameters, llama_progress_callback.allocate((share, _) -> progressed(share), arena));
            MemorySegment model = LlamaCpp.llama_model_load_from_file(calling.allocateFrom(files.file().toString()), parameters);
            if (listenerFailed != null && !model.equals(MemorySegment.NULL)) {
                LlamaCpp.llama_model_free(model);
            }
            UpcallFailure.rethrow(listenerFailed);
            if (model.equals(MemorySegment.NULL)) {
                throw new CheckpointFormatException(files.file(), "llama.cpp %s cannot load it: %s".formatted(library.version(), errors.text()));
            }
            return model;
        }
    }

    /** Tells the listener; false ends the loading. Called by llama.cpp, so that nothing may be thrown out of it. */
    private boolean progressed(float share) {
        try {
            long bytes = costs.layerBytes() + costs.outputBytes();
            settings.listener().progressed("weights", Math.round(share * files.layers()), files.layers(), Math.round((double) share * bytes), bytes);
            return true;
        } catch (Throwable e) {
            listenerFailed = e;
            return false;
        }
    }

    private void setDevices(Arena arena, MemorySegment parameters) {
        if (options.devices().isEmpty()) {
            return;
        }
        List<Device> known = library.devices();
        List<MemorySegment> chosen = new ArrayList<>();
        for (String name : options.devices()) {
            Device device = known.stream().filter(one -> one.name().equalsIgnoreCase(name)).findFirst().orElseThrow(() -> new YangtuoException(
                    "llama.cpp has no device '%s'; there are %s".formatted(name, known.stream().map(Device::name).collect(Collectors.joining(", ")))));
            if (device.kind() == Device.Kind.GPU || device.kind() == Device.Kind.IGPU) {
                chosen.add(device.handle());
            }
        }
        // Ends with NULL; the processor always computes what is on no other device.
        MemorySegment handles = arena.allocate(ValueLayout.ADDRESS, chosen.size() + 1L);
        for (int i = 0; i < chosen.size(); i++) {
            handles.setAtIndex(ValueLayout.ADDRESS, i, chosen.get(i));
        }
        llama_model_params.devices(parameters, handles);
    }

    private void requireDecoder(MemorySegment model) {
        if (LlamaCpp.llama_model_has_encoder(model) || !LlamaCpp.llama_model_has_decoder(model) || LlamaCpp.llama_model_is_diffusion(model)) {
            throw new CheckpointFormatException(files.file(), "its architecture, '%s', does not generate one token after the other; such models cannot be run"
                    .formatted(files.architecture()));
        }
    }

    /** Refuses what cannot fit before the machine is brought to its knees by it: llama.cpp takes all of it at once. */
    private void requireMemory(ContextSize size) {
        double bytes = (double) size.cells() * costs.keyValueBytes();
        if (usedGpus().isEmpty() && bytes > ContextSize.totalMemory()) {
            throw new KernelException(String.format(
                    Locale.ROOT, "%s: keys and values of %d tokens need %.1f GB, this machine has %.1f GB; take a shorter context, or a smaller type of them",
                    files.path(), size.cells(), bytes / 1e9, ContextSize.totalMemory() / 1e9));
        }
    }

    private MemorySegment contextParameters(Arena arena, ContextSize size, int columns, int outputs) {
        MemorySegment parameters = LlamaCpp.llama_context_default_params(arena);
        llama_context_params.n_ctx(parameters, size.cells());
        llama_context_params.n_batch(parameters, columns);
        llama_context_params.n_ubatch(parameters, columns);
        llama_context_params.n_seq_max(parameters, size.numbers());
        llama_context_params.n_outputs_max(parameters, outputs);
        llama_context_params.n_threads(parameters, settings.threads());
        llama_context_params.n_threads_batch(parameters, settings.threads());
        llama_context_params.pooling_type(parameters, LlamaCpp.LLAMA_POOLING_TYPE_NONE());
        llama_context_params.flash_attn_type(parameters, switch (options.flashAttention()) {
            case AUTO -> LlamaCpp.LLAMA_FLASH_ATTN_TYPE_AUTO();
            case ON -> LlamaCpp.LLAMA_FLASH_ATTN_TYPE_ENABLED();
            case OFF -> LlamaCpp.LLAMA_FLASH_ATTN_TYPE_DISABLED();
        });
        llama_context_params.type_k(parameters, ggmlType(settings.kvType()));
        llama_context_params.type_v(parameters, ggmlType(settings.kvType()));
        llama_context_params.kv_unified(parameters, size.shares());
        llama_context_params.swa_full(parameters, true);
        llama_context_params.no_perf(parameters, true);
        RopeParameters.set(parameters, files.rope(), files.contextLength(), files.path());
        return parameters;
    }

    private static int ggmlType(TensorType type) {
        return switch (type) {
            case F32 -> LlamaCpp.GGML_TYPE_F32();
            case F16 -> LlamaCpp.GGML_TYPE_F16();
            case BF16 -> LlamaCpp.GGML_TYPE_BF16();
            case Q8_0 -> LlamaCpp.GGML_TYPE_Q8_0();
            case Q4_0 -> LlamaCpp.GGML_TYPE_Q4_0();
            default -> throw new IllegalArgumentException("keys and values cannot be kept as %s".formatted(type));
        };
    }

    private MemorySegment newContext(MemorySegment model, MemorySegment parameters) {
        try (LlamaCppLog.Capture errors = library.log().capture()) {
            MemorySegment context = LlamaCpp.llama_init_from_model(model, parameters);
            if (context.equals(MemorySegment.NULL)) {
                throw new KernelException("%s: llama.cpp cannot make a context of %d tokens (%.1f GB of keys and values): %s".formatted(
                        files.path(), llama_context_params.n_ctx(parameters), (double) llama_context_params.n_ctx(parameters) * costs.keyValueBytes() / 1e9, errors.text()));
            }
            return context;
        }
    }

    private void applyAdapters(Arena arena, MemorySegment model, MemorySegment context) {
        if (files.adapters().isEmpty()) {
            return;
        }
        int count = files.adapters().size();
        MemorySegment adapters = arena.allocate(ValueLayout.ADDRESS, count);
        MemorySegment scales = arena.allocate(ValueLayout.JAVA_FLOAT, count);
        try (LlamaCppLog.Capture errors = library.log().capture()) {
            for (int i = 0; i < count; i++) {
                LlamaCppFiles.LoraFile file = files.adapters().get(i);
                MemorySegment adapter = LlamaCpp.llama_adapter_lora_init(model, arena.allocateFrom(file.file().toString()));
                if (adapter.equals(MemorySegment.NULL)) {
                    throw new AdapterException(file.file(), "llama.cpp cannot apply it: %s".formatted(errors.text()));
                }
                adapters.setAtIndex(ValueLayout.ADDRESS, i, adapter);
                scales.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) file.scale());
            }
            if (LlamaCpp.llama_set_adapters_lora(context, adapters, count, scales) != 0) {
                throw new AdapterException(files.adapters().getFirst().file(), "llama.cpp cannot apply the adapters: %s".formatted(errors.text()));
            }
        }
    }

    private String backendName() {
        List<String> gpus = usedGpus();
        return "llama.cpp %s %s".formatted(library.version(), gpus.isEmpty() ? "CPU" : String.join("+", gpus));
    }

    private List<String> usedGpus() {
        if (options.gpuLayers().orElse(1) == 0) {
            return List.of();
        }
        return library.devices().stream()
                .filter(device -> device.kind() == Device.Kind.GPU || device.kind() == Device.Kind.IGPU)
                .map(Device::name)
                .filter(name -> options.devices().isEmpty() || options.devices().stream().anyMatch(name::equalsIgnoreCase))
                .toList();
    }
}
