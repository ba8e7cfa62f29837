package dev.yangtuo.model;

import com.sun.management.OperatingSystemMXBean;
import dev.yangtuo.DeviceMemory;
import dev.yangtuo.cache.WeightCache;
import dev.yangtuo.exception.KernelException;
import dev.yangtuo.kernel.Backend;
import dev.yangtuo.kernel.PackedFiles;
import dev.yangtuo.lora.LoraStack;
import dev.yangtuo.lora.MergeReport;
import dev.yangtuo.tensor.TensorType;
import dev.yangtuo.tokenizer.Tokenizer;
import java.lang.System.Logger.Level;
import java.lang.System.Logger;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Loads a model, parameter by parameter: read, replaced by an adapter's full matrix if one brings it, LoRA deltas added in float32, rounded
 * once to the type asked for, packed. So the peak memory is the finished model and a few pieces of rows.
 */
public final class ModelLoader {
    private static final Logger LOGGER = System.getLogger(ModelLoader.class.getName());
    /** Texts of one forward pass, and whole contexts that have memory, unless something else is asked for. */
    private static final int DEFAULT_SEQUENCES = 32;
    private static final int DEFAULT_CONTEXTS = 4;
    /** A context that is not asked for may become as short as this, so that more layers fit on a device. */
    private static final int SHORT_CONTEXT = 4096;

    private final MergedModel merged;
    private final ModelConfig config;
    private final LoadSettings settings;
    private final TypePlan plan;
    private final EncodeProgress progress;
    /** When the files were about to be opened, as the cache counts it. */
    private final long opened;
    private MergeReport report = new MergeReport(List.of());
    private CacheUse cacheUse = CacheUse.NONE;

    private ModelLoader(MergedModel merged, LoadSettings settings, long opened) {
        this.merged = merged;
        this.config = merged.config();
        this.settings = settings;
        this.opened = opened;
        this.plan = new TypePlan(settings.types(), config);
        this.progress = new EncodeProgress(merged, plan::bytesOf, settings.listener());
    }

    /**
     * Loads a model and its adapters.
     *
     * @param path a model of any kind that can be read
     */
    public static LoadedModel load(Path path, LoadSettings settings) {
        try {
            return attempt(path, settings);
        } catch (KernelException e) {
            if (settings.devices().kind() != DeviceChoice.Kind.AUTO) {
                throw e;
            }
            DeviceSelection.sayProcessor(e);
            return attempt(path, settings.onProcessor());
        }
    }

    private static LoadedModel attempt(Path path, LoadSettings settings) {
        long start = System.nanoTime();
        long opened = WeightCache.now();
        // Finding and linking the native library takes about as long as opening the files.
        Background<Backend> backend = Background.start("yangtuo-backend", () -> openBackend(settings));
        boolean complete = false;
        try (MergedModel merged = MergedModel.open(ModelSource.open(path), settings.lora(), settings.rope())) {
            LoadedModel loaded = new ModelLoader(merged, settings, opened).load(start, backend);
            complete = true;
            return loaded;
        } finally {
            if (!complete) {
                backend.discard(Backend::close);
            }
        }
    }

    private static Backend openBackend(LoadSettings settings) {
        Backend backend = settings.backend().get();
        PackedFiles files = settings.cache() == null ? null : backend.packedFiles();
        if (files != null) {
            files.prepare();
        }
        return backend;
    }

    /**
     * Checks without loading anything that a model can be loaded: its configuration, the presence and the shapes of its tensors, its
     * tokenizer. Reads headers only.
     *
     * @throws dev.yangtuo.exception.YangtuoException what {@link #load} would throw before it reads the first tensor
     */
    public static CheckedModel check(Path path) {
        try (MergedModel merged = MergedModel.open(path, LoraStack.NONE)) {
            return new CheckedModel(merged.config(), merged.tokenizer().model());
        }
    }

    /**
     * Says what memory a model will take. Reads headers only.
     *
     * @throws dev.yangtuo.exception.YangtuoException what {@link #load} would throw before it reads the first tensor, but for a model that the machine has no memory for
     */
    public static LoadPlan plan(Path path, LoadSettings settings) {
        try (MergedModel merged = MergedModel.open(ModelSource.open(path), settings.lora(), settings.rope())) {
            return new ModelLoader(merged, settings, WeightCache.now()).loadPlan();
        }
    }

    private LoadPlan loadPlan() {
        merged.tokenizer();
        LayerDivision division = devices().divide(neededPositions());
        int context = contextLength(division);
        long pages = kvPages(context, division);
        long positions = pages * KvCache.PAGE_POSITIONS;
        long buffers = KernelModel.bufferBytes(config, context, sequences(), division.isOnDevicesAlone());
        long scratch = KernelModel.scratchBytes(config, context, sequences(), division.isOnDevicesAlone());
        List<DeviceMemory> devices = division.memory(positions, buffers + scratch);
        return new LoadPlan(merged.path(), weightBytes(division), positions * ModelCosts.keyValueBytes(config, settings.kvType()),
                division.parts().size() * buffers + devices.size() * scratch, context, positions, totalMemory(), devices);
    }

    private long weightBytes(LayerDivision division) {
        return division.parts().stream().mapToLong(division::weights).sum();
    }

    private LoadedModel load(long startNanos, Background<Backend> openedBackend) {
        GenerationConfig generation = merged.generation();
        DeviceSelection devices = devices();
        LayerDivision wanted = devices.divide(neededPositions());
        Backend processor = openedBackend.join();
        try (CloseStack undo = new CloseStack()) {
            Placement placement = undo.push(devices.open(wanted, processor));
            LayerDivision division = placement.division();
            int context = contextLength(division);
            int pages = kvPages(context, division);
            requireMemory(division);
            if (division.hasTwoEmbeddings()) {
                progress.expectAgain(plan.bytesOf(merged.embedding()));
            }
            ModelWeights weights = undo.push(weights(processor, placement));
            List<String> types = typesByFrequency();
            Tokenizer tokenizer = merged.tokenizer();
            undo.keep();
            Model model = new KernelModel(config, placement, weights, settings.kvType(), context, sequences(), pages);
            if (!placement.uses(processor)) {
                processor.close(); // it has only encoded weights
            }
            Duration time = Duration.ofNanos(System.nanoTime() - startNanos);
            return new LoadedModel(
                    merged.path(), merged.baseConfig().vocabSize(), model, tokenizer, generation, merged.chatTemplate().orElse(null), report, types, cacheUse, time);
        }
    }

    /** The context that was asked for, or the model's own as far as the memory for keys and values allows. */
    private int contextLength(LayerDivision division) {
        if (settings.context() > 0) {
            if (settings.context() > config.reach()) {
                LOGGER.log(Level.WARNING, "a context of {0} was asked for, but the model was trained for {1}{2}; texts that are longer will be poor",
                        settings.context(), config.reach(), config.reach() > config.contextLength() ? " with its RoPE scaling" : "");
            }
            return settings.context();
        }
        long affordable = Math.max(1, division.positions(totalMemory()));
        if (affordable < config.contextLength()) {
            LOGGER.log(Level.WARNING, "the context is limited to {0} of the model''s {1} tokens: its keys and values would need more than {2}",
                    affordable, config.contextLength(), division.hasDevices() ? "the memory that is left" : "a quarter of the memory");
        }
        return (int) Math.min(affordable, config.contextLength());
    }

    private int sequences() {
        return settings.maxSequences() > 0 ? settings.maxSequences() : DEFAULT_SEQUENCES;
    }

    private DeviceSelection devices() {
        int context = settings.context() > 0 ? settings.context() : config.contextLength();
        // At most, while no layer has its place.
        boolean mayBeAlone = settings.devices().usesDevices();
        long buffers = KernelModel.bufferBytes(config, context, sequences(), mayBeAlone) + KernelModel.scratchBytes(config, context, sequences(), mayBeAlone);
        return new DeviceSelection(merged, plan, settings, ModelBytes.of(merged, plan, settings.kvType(), buffers));
    }

    /** Positions whose keys and values must have room on a device, or layers go elsewhere. */
    private long neededPositions() {
        int context = settings.context() > 0 ? settings.context() : Math.min(config.contextLength(), SHORT_CONTEXT);
        long whole = (long) KvCache.pagesFor(context) * KvCache.PAGE_POSITIONS;
        return Math.max(whole, settings.kvMemory() / ModelCosts.keyValueBytes(config, settings.kvType()));
    }

    /** Pages of keys and values. */
    private int kvPages(int context, LayerDivision division) {
        int perContext = KvCache.pagesFor(context);
        long pageBytes = KvCache.PAGE_POSITIONS * ModelCosts.keyValueBytes(config, settings.kvType());
        long pages = (long) perContext * (settings.maxSequences() > 0 ? settings.maxSequences() : DEFAULT_CONTEXTS);
        if (settings.kvMemory() > 0) {
            pages = settings.kvMemory() / pageBytes;
            if (pages < perContext) {
                throw new KernelException(("%s: keys and values of one text of %d tokens need %d bytes, and %d are allowed for all texts; allow more memory for"
                        + " them, take a shorter context, or a smaller type of keys and values").formatted(
                                merged.path(), context, perContext * pageBytes, settings.kvMemory()));
            }
        } else {
            // What texts leave behind fills the pool in time, so it must be affordable as a whole. Devices keep it in memory of their own from the beginning.
            long affordable = settings.maxSequences() == 0 ? division.positions(totalMemory()) : division.devicePositions();
            pages = Math.max(perContext, Math.min(pages, affordable / KvCache.PAGE_POSITIONS));
        }
        if (pages > Integer.MAX_VALUE) {
            throw new IllegalArgumentException(settings.kvMemory() > 0
                    ? "kvMemory of %d bytes is more than can be managed; allow less".formatted(settings.kvMemory())
                    : "a context of %d for %d texts is not possible".formatted(context, settings.maxSequences()));
        }
        return (int) pages;
    }

    /** Memory of the machine, or of the container, in bytes. */
    private static long totalMemory() {
        return ((OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean()).getTotalMemorySize();
    }

    /** Refuses what cannot fit before the machine is brought to its knees by it. */
    private void requireMemory(LayerDivision division) {
        double bytes = division.processorWeights();
        if (bytes > totalMemory()) {
            throw new KernelException(String.format(
                    Locale.ROOT,
                    "%s: its weights need %.1f GB (%.0f bytes), this machine has %.1f GB; keep them in fewer bits (q8_0, q4_0), or take a smaller model",
                    merged.path(), bytes / 1e9, bytes, totalMemory() / 1e9));
        }
    }

    private ModelWeights pack(Backend processor, Placement placement, @Nullable LoadCache cache) {
        try (ParameterEncoder encoder = new ParameterEncoder(processor, merged.path(), settings.threads(), progress::bytes); CloseStack undo = new CloseStack()) {
            EncodedWeights encoded = new EncodedWeights(encoder, plan, progress);
            ModelWeights weights = undo.push(assembly(placement).assemble(encoded));
            report = merged.finish();
            cacheUse = cache == null ? CacheUse.NONE : cache.write(encoded.packed(), report);
            undo.keep();
            return weights;
        }
    }

    /** @param processor encodes, also what lies elsewhere */
    private ModelWeights weights(Backend processor, Placement placement) {
        LoadCache cache = LoadCache.of(processor, merged, plan, settings, opened);
        LoadCache.Found found = cache == null ? null : cache.find(assembly(placement), progress);
        if (found == null) {
            merged.tokenizer(); // if anything is wrong with it, before the long part
            return pack(processor, placement, cache);
        }
        report = found.report();
        cacheUse = CacheUse.READ;
        return found.weights();
    }

    private WeightAssembly assembly(Placement placement) {
        return new WeightAssembly(merged, placement);
    }

    private List<String> typesByFrequency() {
        Map<TensorType, Integer> counts = new EnumMap<>(TensorType.class);
        merged.forEach(parameter -> {
            if (!parameter.isVector()) {
                counts.merge(plan.typeOf(parameter), 1, Integer::sum);
            }
        });
        return counts.entrySet().stream()
                .sorted(Map.Entry.<TensorType, Integer>comparingByValue().reversed())
                .map(entry -> entry.getKey().name())
                .toList();
    }
}
