package dev.yangtuo.llamacpp;

import com.sun.management.OperatingSystemMXBean;
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
import dev.yangtuo.model.LoadSettings;
import dev.yangtuo.model.LoadedModel;
import dev.yangtuo.model.ModelCosts;
import dev.yangtuo.tensor.TensorType;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Loads a model with llama.cpp: its files made ready by us, then {@code llama_model} and {@code llama_context} with as much memory as the settings ask for. */
public final class LlamaCppLoader {
    private static final Logger LOGGER = System.getLogger(LlamaCppLoader.class.getName());
    /** Unless something else is asked for, keys and values may take this share of the machine's memory. */
    private static final int MEMORY_SHARE = 4;
    /** llama.cpp takes the memory for keys and values at once, so that more than one whole context has some only as far as this. */
    private static final long DEFAULT_MEMORY = 1L << 30;
    private static final int DEFAULT_CONTEXTS = 4;
    private static final int DEFAULT_SEQUENCES = 32;
    /** Without shared memory each sequence has a whole context. */
    private static final int DEFAULT_SEPARATE_SEQUENCES = 4;
    /** Columns of a pass. */
    private static final int COLUMNS = 512;
    /** Sequences beside those of two passes: texts that are remembered, or computed beside the scheduler. */
    private static final int MORE_SEQUENCES = 32;
    /** llama.cpp rounds a context up to a multiple of this. */
    private static final int CONTEXT_UNIT = 256;

    private final LlamaCppLibrary library;
    private final LlamaCppFiles files;
    private final LoadSettings settings;
    private final LlamaCppOptions options;
    private final ModelCosts costs;
    private @Nullable RuntimeException listenerFailed;

    private LlamaCppLoader(LlamaCppLibrary library, LlamaCppFiles files, LoadSettings settings, LlamaCppOptions options) {
        this.library = library;
        this.files = files;
        this.settings = settings;
        this.options = options;
        this.costs = GgufCosts.of(files.file(), settings.kvType());
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
        LlamaCppFiles files = LlamaCppFiles.prepare(path, settings, (file, _) -> LlamaCppTokenizers.own(library, file));
        return new LlamaCppLoader(library, files, settings, options).load(start);
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
            int contextLength = contextLength();
            int sequences = sequences();
            int numbers = shares ? Math.min(2 * sequences + MORE_SEQUENCES, Math.toIntExact(LlamaCpp.llama_max_parallel_sequences())) : sequences;
            int pages = shares ? pages(contextLength) : numbers * Math.ceilDiv(contextLength, SequenceMemory.PAGE_POSITIONS);
            int columns = Math.max(COLUMNS, numbers);
            int outputs = Math.min(columns, Math.max(numbers, LlamaCppModel.MAX_OUTPUT_COLUMNS + sequences));
            int cells = roundUp(shares ? pages * SequenceMemory.PAGE_POSITIONS : contextLength) * (shares ? 1 : numbers);
            MemorySegment parameters = contextParameters(arena, cells, columns, outputs, numbers, shares);
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
                    sequences,
                    shares,
                    cuts);
            LlamaCppModel loaded = new LlamaCppModel(library, new LlamaCppContext(arena, model, context, columns, outputs, numbers), facts, contextLength, pages);
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
            if (listenerFailed != null) {
                if (!model.equals(MemorySegment.NULL)) {
                    LlamaCpp.llama_model_free(model);
                }
                throw listenerFailed;
            }
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
        } catch (RuntimeException e) {
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

    private int sequences() {
        int asked = settings.maxSequences() > 0 ? settings.maxSequences() : options.sharedMemory() ? DEFAULT_SEQUENCES : DEFAULT_SEPARATE_SEQUENCES;
        // Room for as many again, which take over what those have computed that have just ended.
        int most = Math.toIntExact(LlamaCpp.llama_max_parallel_sequences() - MORE_SEQUENCES) / 2;
        if (asked > most) {
            LOGGER.log(Level.INFO, "{0} texts at the same time were asked for; llama.cpp computes {1}, the others wait", asked, most);
        }
        return Math.min(asked, most);
    }

    /** The context that was asked for, or the model's own as far as the memory for keys and values allows. */
    private int contextLength() {
        if (settings.context() > 0) {
            if (settings.context() > files.reach()) {
                LOGGER.log(Level.WARNING, "a context of {0} was asked for, but the model was trained for {1}; texts that are longer will be poor",
                        settings.context(), files.reach());
            }
            return settings.context();
        }
        long affordable = Math.max(1, totalMemory() / MEMORY_SHARE / Math.max(1, costs.keyValueBytes()));
        if (affordable < files.contextLength()) {
            LOGGER.log(Level.WARNING, "the context is limited to {0} of the model''s {1} tokens: its keys and values would need more than a quarter of the memory",
                    affordable, files.contextLength());
        }
        return (int) Math.min(affordable, files.contextLength());
    }

    /** Pages of keys and values that all sequences share. */
    private int pages(int contextLength) {
        int perContext = Math.ceilDiv(contextLength, SequenceMemory.PAGE_POSITIONS);
        long pageBytes = SequenceMemory.PAGE_POSITIONS * Math.max(1, costs.keyValueBytes());
        long pages;
        if (settings.kvMemory() > 0) {
            pages = settings.kvMemory() / pageBytes;
            if (pages < perContext) {
                throw new KernelException(("%s: keys and values of one text of %d tokens need %d bytes, and %d are allowed for all texts; allow more memory for"
                        + " them, take a shorter context, or a smaller type of keys and values").formatted(
                                files.path(), contextLength, perContext * pageBytes, settings.kvMemory()));
            }
        } else if (settings.maxSequences() > 0) {
            pages = (long) perContext * settings.maxSequences();
        } else {
            pages = Math.max(perContext, Math.min((long) perContext * DEFAULT_CONTEXTS, DEFAULT_MEMORY / pageBytes));
        }
        if (pages > (Integer.MAX_VALUE - CONTEXT_UNIT) / SequenceMemory.PAGE_POSITIONS) {
            throw new KernelException("%s: %d pages of keys and values are more than llama.cpp can manage; take a shorter context, or allow less memory for them"
                    .formatted(files.path(), pages));
        }
        return (int) pages;
    }

    private static int roundUp(int positions) {
        return Math.ceilDiv(positions, CONTEXT_UNIT) * CONTEXT_UNIT;
    }

    private static long totalMemory() {
        return ((OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean()).getTotalMemorySize();
    }

    private MemorySegment contextParameters(Arena arena, int cells, int columns, int outputs, int numbers, boolean shares) {
        MemorySegment parameters = LlamaCpp.llama_context_default_params(arena);
        llama_context_params.n_ctx(parameters, cells);
        llama_context_params.n_batch(parameters, columns);
        llama_context_params.n_ubatch(parameters, columns);
        llama_context_params.n_seq_max(parameters, numbers);
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
        llama_context_params.kv_unified(parameters, shares);
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
        List<Device> devices = library.devices();
        String gpus = devices.stream()
                .filter(device -> device.kind() == Device.Kind.GPU || device.kind() == Device.Kind.IGPU)
                .map(Device::name)
                .filter(name -> options.devices().isEmpty() || options.devices().stream().anyMatch(name::equalsIgnoreCase))
                .collect(Collectors.joining("+"));
        return "llama.cpp %s %s".formatted(library.version(), gpus.isEmpty() || options.gpuLayers().orElse(1) == 0 ? "CPU" : gpus);
    }
}
