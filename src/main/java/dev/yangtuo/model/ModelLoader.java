package dev.yangtuo.model;

import com.sun.management.OperatingSystemMXBean;
import dev.yangtuo.exception.KernelException;
import dev.yangtuo.kernel.Backend;
import dev.yangtuo.kernel.DeviceFloats;
import dev.yangtuo.kernel.Layer;
import dev.yangtuo.kernel.LayerWeights;
import dev.yangtuo.kernel.OutputLayer;
import dev.yangtuo.kernel.OutputWeights;
import dev.yangtuo.kernel.Projection;
import dev.yangtuo.kernel.WeightMatrix;
import dev.yangtuo.lora.LoraStack;
import dev.yangtuo.lora.MergeReport;
import dev.yangtuo.tensor.FloatRows;
import dev.yangtuo.tensor.TensorType;
import dev.yangtuo.tokenizer.Tokenizer;
import java.lang.System.Logger.Level;
import java.lang.System.Logger;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Loads a model, parameter by parameter: read, replaced by an adapter's full matrix if one brings it, LoRA deltas added in float32, rounded
 * once to the type asked for, packed. So the peak memory is the finished model and a few pieces of rows.
 */
public final class ModelLoader {
    private static final Logger LOGGER = System.getLogger(ModelLoader.class.getName());
    /** Without an explicit context, one sequence's keys and values may take this share of the machine's memory. */
    private static final int MEMORY_SHARE = 4;

    private final MergedModel merged;
    private final ModelConfig config;
    private final LoadSettings settings;
    private final Map<TensorType, Integer> typeCounts = new EnumMap<>(TensorType.class);
    private final TypePlan plan;
    private final EncodeProgress progress;

    private ModelLoader(MergedModel merged, LoadSettings settings) {
        this.merged = merged;
        this.config = merged.config();
        this.settings = settings;
        this.plan = new TypePlan(settings.types(), config);
        this.progress = new EncodeProgress(merged, plan::bytesOf, settings.listener());
    }

    /**
     * Loads a model and its adapters.
     *
     * @param path a model of any kind that can be read
     */
    public static LoadedModel load(Path path, LoadSettings settings) {
        long start = System.nanoTime();
        try (MergedModel merged = MergedModel.open(path, settings.lora())) {
            return new ModelLoader(merged, settings).load(start);
        }
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

    private LoadedModel load(long startNanos) {
        GenerationConfig generation = merged.generation();
        int context = contextLength();
        requireMemory();
        try (CloseStack undo = new CloseStack()) {
            Backend backend = undo.push(settings.backend().get());
            ModelWeights weights = undo.push(pack(backend));
            MergeReport report = merged.finish();
            undo.keep();
            Model model = new Model(config, backend, weights, settings.kvType(), context, settings.maxSequences());
            Duration time = Duration.ofNanos(System.nanoTime() - startNanos);
            return new LoadedModel(
                    merged.path(), merged.baseConfig().vocabSize(), model, merged.tokenizer(), generation, report, typesByFrequency(), time);
        }
    }

    /** The context that was asked for, or the model's own as far as the memory for keys and values allows. */
    private int contextLength() {
        if (settings.context() > 0) {
            if (settings.context() > config.contextLength()) {
                LOGGER.log(Level.WARNING, "a context of {0} was asked for, but the model was trained for {1}; texts that are longer will be poor",
                        settings.context(), config.contextLength());
            }
            return settings.context();
        }
        long memory = totalMemory();
        long perPosition = 2L * settings.kvType().blockBytes() * config.nLayers() * config.kvDim();
        long affordable = Math.max(1, memory / MEMORY_SHARE / perPosition);
        if (affordable < config.contextLength()) {
            LOGGER.log(Level.WARNING, "the context is limited to {0} of the model''s {1} tokens: its keys and values would need more than a quarter of the memory",
                    affordable, config.contextLength());
        }
        return (int) Math.min(affordable, config.contextLength());
    }

    /** Memory of the machine, or of the container, in bytes. */
    private static long totalMemory() {
        return ((OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean()).getTotalMemorySize();
    }

    /** Refuses what cannot fit before the machine is brought to its knees by it. */
    private void requireMemory() {
        double bytes = progress.byteCount();
        if (bytes > totalMemory()) {
            throw new KernelException(String.format(
                    Locale.ROOT,
                    "%s: its weights need %.1f GB (%.0f bytes), this machine has %.1f GB; keep them in fewer bits (q8_0, q4_0), or take a smaller model",
                    merged.path(), bytes / 1e9, bytes, totalMemory() / 1e9));
        }
    }

    private ModelWeights pack(Backend backend) {
        try (ParameterEncoder encoder = new ParameterEncoder(backend, merged.path(), settings.threads(), progress::bytes);
                CloseStack undo = new CloseStack()) {
            WeightMatrix embedding = undo.push(matrix(backend, encoder, merged.embedding()));
            List<Layer> layers = new ArrayList<>();
            for (int layer = 0; layer < config.nLayers(); layer++) {
                layers.add(backend.createLayer(layer(backend, encoder, layer, undo)));
            }
            DeviceFloats norm = undo.push(vector(backend, encoder, merged.norm()));
            MergedParameter ownOutput = merged.output();
            WeightMatrix output = ownOutput == null ? embedding : undo.push(matrix(backend, encoder, ownOutput));
            OutputLayer end = backend.createOutputLayer(new OutputWeights(norm, output, config.normEps()));
            undo.keep();
            return new ModelWeights(embedding, layers, end);
        }
    }

    private LayerWeights layer(Backend backend, ParameterEncoder encoder, int layer, CloseStack undo) {
        Map<LayerParameter, WeightMatrix> matrices = new EnumMap<>(LayerParameter.class);
        Map<LayerParameter, DeviceFloats> vectors = new EnumMap<>(LayerParameter.class);
        for (LayerParameter kind : LayerParameter.values()) {
            MergedParameter parameter = merged.layer(layer, kind);
            if (parameter == null) {
                continue;
            }
            if (kind.isVector()) {
                vectors.put(kind, undo.push(vector(backend, encoder, parameter)));
            } else {
                matrices.put(kind, undo.push(matrix(backend, encoder, parameter)));
            }
        }
        return new LayerWeights(
                layer,
                config.nHeads(),
                config.nKvHeads(),
                config.headDim(),
                config.normEps(),
                vectors.get(LayerParameter.ATTENTION_NORM),
                new Projection(matrices.get(LayerParameter.Q), vectors.get(LayerParameter.Q_BIAS)),
                new Projection(matrices.get(LayerParameter.K), vectors.get(LayerParameter.K_BIAS)),
                new Projection(matrices.get(LayerParameter.V), vectors.get(LayerParameter.V_BIAS)),
                new Projection(matrices.get(LayerParameter.O), vectors.get(LayerParameter.O_BIAS)),
                vectors.get(LayerParameter.FFN_NORM),
                new Projection(matrices.get(LayerParameter.GATE), vectors.get(LayerParameter.GATE_BIAS)),
                new Projection(matrices.get(LayerParameter.UP), vectors.get(LayerParameter.UP_BIAS)),
                new Projection(matrices.get(LayerParameter.DOWN), vectors.get(LayerParameter.DOWN_BIAS)));
    }

    private DeviceFloats vector(Backend backend, ParameterEncoder encoder, MergedParameter parameter) {
        float[] values = encoder.vector(parameter);
        DeviceFloats vector = backend.createFloats(values.length);
        vector.upload(0, values, 0, values.length);
        progress.finished(parameter.name());
        return vector;
    }

    private WeightMatrix matrix(Backend backend, ParameterEncoder encoder, MergedParameter parameter) {
        TensorType type = plan.typeOf(parameter);
        FloatRows rows = parameter.rows();
        typeCounts.merge(type, 1, Integer::sum);
        WeightMatrix matrix = backend.createMatrix(type, rows.rows(), rows.columns());
        try {
            encoder.encode(parameter, type, ParameterEncoder.Order.PAIRS, matrix::upload);
        } catch (RuntimeException | Error e) {
            matrix.close();
            throw e;
        }
        progress.finished(parameter.name());
        return matrix;
    }

    private List<String> typesByFrequency() {
        return typeCounts.entrySet().stream()
                .sorted(Map.Entry.<TensorType, Integer>comparingByValue().reversed())
                .map(entry -> entry.getKey().name())
                .toList();
    }
}
