package dev.yangtuo.model;

import com.sun.management.OperatingSystemMXBean;
import dev.yangtuo.exception.AdapterException;
import dev.yangtuo.exception.CheckpointFormatException;
import dev.yangtuo.exception.KernelException;
import dev.yangtuo.kernel.Backend;
import dev.yangtuo.kernel.DeviceFloats;
import dev.yangtuo.kernel.Layer;
import dev.yangtuo.kernel.LayerWeights;
import dev.yangtuo.kernel.OutputLayer;
import dev.yangtuo.kernel.OutputWeights;
import dev.yangtuo.kernel.WeightMatrix;
import dev.yangtuo.lora.LoraAdapter;
import dev.yangtuo.lora.LoraMerge;
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
import java.util.LinkedHashMap;
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

    private final ModelSource source;
    private final List<LoraAdapter> adapters;
    private final LoadSettings settings;
    private final LoraMerge merge;
    private final Map<TensorType, Integer> typeCounts = new EnumMap<>(TensorType.class);
    private int parametersDone;

    private ModelLoader(ModelSource source, List<LoraAdapter> adapters, LoadSettings settings) {
        this.source = source;
        this.adapters = adapters;
        this.settings = settings;
        this.merge = new LoraMerge(adapters, source.config().vocabSize(), source.config().tiedEmbeddings());
    }

    /**
     * Loads a model and its adapters.
     *
     * @param path a Hugging Face directory or a GGUF file
     */
    public static LoadedModel load(Path path, LoadSettings settings) {
        long start = System.nanoTime();
        try (CloseStack files = new CloseStack()) {
            ModelSource source = files.push(ModelSource.open(path));
            List<LoraAdapter> adapters = new ArrayList<>();
            for (Path directory : settings.adapters()) {
                adapters.add(files.push(LoraAdapter.open(directory)));
            }
            return new ModelLoader(source, adapters, settings).load(start);
        }
    }

    private LoadedModel load(long startNanos) {
        ModelConfig config = source.config().withVocabulary(Math.toIntExact(merge.vocabularySize()), merge.outputTied());
        checkAdapters();
        Tokenizer tokenizer = tokenizer();
        GenerationConfig generation = generation();
        int context = contextLength(config);
        requireMemory(config);
        try (CloseStack undo = new CloseStack()) {
            Backend backend = undo.push(settings.backend().get());
            ModelWeights weights = undo.push(pack(config, backend));
            MergeReport report = merge.finish();
            undo.keep();
            Model model = new Model(config, backend, weights, settings.kvType(), context, settings.maxSequences());
            Duration time = Duration.ofNanos(System.nanoTime() - startNanos);
            return new LoadedModel(
                    source.path(), source.config().vocabSize(), model, tokenizer, generation, report, typesByFrequency(), time);
        }
    }

    /** Everything of the adapters fits the model, before the long part begins. */
    private void checkAdapters() {
        Map<String, FloatRows> parameters = new LinkedHashMap<>();
        parameters.put(ModelSource.EMBEDDING, source.embedding().rows());
        parameters.put(ModelSource.NORM, source.norm().rows());
        Parameter output = source.output();
        if (output != null) {
            parameters.put(ModelSource.OUTPUT, output.rows());
        }
        for (int layer = 0; layer < source.config().nLayers(); layer++) {
            for (LayerParameter parameter : LayerParameter.values()) {
                parameters.put(parameter.name(layer), source.layer(layer, parameter).rows());
            }
        }
        merge.check(parameters);
    }

    /** The tokenizer of the last adapter that brings one, else the model's; it must fit the vocabulary that results. */
    private Tokenizer tokenizer() {
        for (LoraAdapter adapter : adapters.reversed()) {
            Path file = adapter.tokenizerModel();
            if (file != null) {
                Tokenizer tokenizer = TokenizerFiles.load(adapter.directory(), merge.vocabularySize());
                if (tokenizer.vocabSize() != merge.vocabularySize() && !isPaddedAsTheBase(tokenizer)) {
                    throw new AdapterException(adapter.directory(), ("its %s has %d pieces, but the vocabulary with it has %d rows;"
                            + " take the tokenizer that belongs to the adapter").formatted(file.getFileName(), tokenizer.vocabSize(), merge.vocabularySize()));
                }
                return tokenizer;
            }
        }
        Tokenizer tokenizer = source.tokenizer();
        if (merge.vocabularySize() != source.config().vocabSize()) {
            LoraAdapter last = adapters.getLast();
            throw new AdapterException(last.directory(), ("it brings a vocabulary of %d rows, but no tokenizer.model, and the model's has %d pieces;"
                    + " put the tokenizer that belongs to the adapter into its directory").formatted(merge.vocabularySize(), tokenizer.vocabSize()));
        }
        if (tokenizer.vocabSize() > merge.vocabularySize()) {
            throw new CheckpointFormatException(source.path(), "its tokenizer has %d pieces, but its vocabulary only %d rows"
                    .formatted(tokenizer.vocabSize(), merge.vocabularySize()));
        }
        return tokenizer;
    }

    /** Whether no adapter changes a vocabulary that has more rows than the model's own tokenizer has pieces, as many as this one. */
    private boolean isPaddedAsTheBase(Tokenizer tokenizer) {
        int rows = source.config().vocabSize();
        return merge.vocabularySize() == rows && tokenizer.vocabSize() < rows && tokenizer.vocabSize() == source.tokenizer().vocabSize();
    }

    /** What the last adapter that says so recommends, else the model. */
    private GenerationConfig generation() {
        for (LoraAdapter adapter : adapters.reversed()) {
            if (GenerationConfig.isIn(adapter.directory())) {
                return GenerationConfig.read(adapter.directory());
            }
        }
        return source.generation();
    }

    /** The context that was asked for, or the model's own as far as the memory for keys and values allows. */
    private int contextLength(ModelConfig config) {
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
    private void requireMemory(ModelConfig config) {
        double bytes = bytesOf(ModelSource.EMBEDDING, source.embedding(), config.vocabSize());
        bytes += config.tiedEmbeddings() ? 0 : bytesOf(ModelSource.OUTPUT, outputOrEmbedding(), config.vocabSize());
        for (int layer = 0; layer < config.nLayers(); layer++) {
            for (LayerParameter parameter : LayerParameter.values()) {
                Parameter stored = source.layer(layer, parameter);
                bytes += bytesOf(parameter.name(layer), stored, stored.rows().rows());
            }
        }
        if (bytes > totalMemory()) {
            throw new KernelException(String.format(
                    Locale.ROOT,
                    "%s: its weights need %.1f GB (%.0f bytes), this machine has %.1f GB; keep them in fewer bits (q8_0, q4_0), or take a smaller model",
                    source.path(), bytes / 1e9, bytes, totalMemory() / 1e9));
        }
    }

    private double bytesOf(String name, Parameter stored, long rows) {
        TensorType type = targetType(name, stored.type(), stored.rows().columns());
        return (double) rows * stored.rows().columns() * type.blockBytes() / type.blockElements();
    }

    private ModelWeights pack(ModelConfig config, Backend backend) {
        try (WeightPacker packer = new WeightPacker(backend, source.path(), settings.threads());
                CloseStack undo = new CloseStack()) {
            WeightMatrix embedding = undo.push(matrix(packer, ModelSource.EMBEDDING, source.embedding()));
            List<Layer> layers = new ArrayList<>();
            for (int layer = 0; layer < config.nLayers(); layer++) {
                layers.add(backend.createLayer(layer(packer, config, layer, undo)));
            }
            DeviceFloats norm = undo.push(vector(packer, ModelSource.NORM, source.norm()));
            WeightMatrix output = config.tiedEmbeddings() ? embedding : undo.push(matrix(packer, ModelSource.OUTPUT, outputOrEmbedding()));
            OutputLayer end = backend.createOutputLayer(new OutputWeights(norm, output, config.normEps()));
            undo.keep();
            return new ModelWeights(embedding, layers, end);
        }
    }

    /** The base of the output matrix: where an adapter unties it, the embedding. */
    private Parameter outputOrEmbedding() {
        Parameter output = source.output();
        return output == null ? source.embedding() : output;
    }

    private LayerWeights layer(WeightPacker packer, ModelConfig config, int layer, CloseStack undo) {
        Map<LayerParameter, WeightMatrix> matrices = new EnumMap<>(LayerParameter.class);
        Map<LayerParameter, DeviceFloats> norms = new EnumMap<>(LayerParameter.class);
        for (LayerParameter parameter : LayerParameter.values()) {
            String name = parameter.name(layer);
            Parameter stored = source.layer(layer, parameter);
            if (parameter.shape(config).size() == 1) {
                norms.put(parameter, undo.push(vector(packer, name, stored)));
            } else {
                int headDim = parameter.isRotated() ? config.headDim() : 0;
                matrices.put(parameter, undo.push(matrix(packer, name, stored, headDim)));
            }
        }
        return new LayerWeights(
                layer,
                config.nHeads(),
                config.nKvHeads(),
                config.headDim(),
                config.normEps(),
                norms.get(LayerParameter.ATTENTION_NORM),
                matrices.get(LayerParameter.Q),
                matrices.get(LayerParameter.K),
                matrices.get(LayerParameter.V),
                matrices.get(LayerParameter.O),
                norms.get(LayerParameter.FFN_NORM),
                matrices.get(LayerParameter.GATE),
                matrices.get(LayerParameter.UP),
                matrices.get(LayerParameter.DOWN));
    }

    private DeviceFloats vector(WeightPacker packer, String name, Parameter stored) {
        DeviceFloats vector = packer.vector(name, merge.apply(name, stored.rows()));
        reportDone(name);
        return vector;
    }

    private WeightMatrix matrix(WeightPacker packer, String name, Parameter stored) {
        return matrix(packer, name, stored, 0);
    }

    /** @param headDim elements of a head whose rows are to be brought into pairs; 0 if the rows stay as they are */
    private WeightMatrix matrix(WeightPacker packer, String name, Parameter stored, int headDim) {
        FloatRows merged = merge.apply(name, stored.rows());
        TensorType type = targetType(name, stored.type(), merged.columns());
        TensorType wanted = settings.weightType();
        if (wanted != null && merged.columns() % wanted.blockElements() != 0) {
            LOGGER.log(Level.WARNING, "{0} is kept as F16: its rows of {1} elements cannot be divided into the blocks of {2}",
                    name, merged.columns(), wanted);
        }
        typeCounts.merge(type, 1, Integer::sum);
        boolean asStored = merged == stored.rows() && type == stored.type();
        WeightMatrix matrix = packer.matrix(name, merged, headDim, type, asStored ? stored.blocks() : null);
        reportDone(name);
        return matrix;
    }

    /**
     * The type asked for, with two exceptions. The output matrix of a Q4_0 model is Q8_0: every token goes through it, and with four bits it alone
     * costs half of the quality that the whole quantization does. F16 serves where the blocks of a type do not divide a row.
     */
    private TensorType targetType(String name, TensorType stored, int columns) {
        TensorType type = settings.weightType() == null ? stored : settings.weightType();
        if (settings.weightType() == TensorType.Q4_0 && name.equals(merge.outputTied() ? ModelSource.EMBEDDING : ModelSource.OUTPUT)) {
            type = TensorType.Q8_0;
        }
        return columns % type.blockElements() == 0 ? type : TensorType.F16;
    }

    private void reportDone(String name) {
        int matrices = 3 - (merge.outputTied() ? 1 : 0);
        int count = matrices + source.config().nLayers() * LayerParameter.values().length;
        settings.listener().parameterLoaded(name, ++parametersDone, count);
    }

    private List<String> typesByFrequency() {
        return typeCounts.entrySet().stream()
                .sorted(Map.Entry.<TensorType, Integer>comparingByValue().reversed())
                .map(entry -> entry.getKey().name())
                .toList();
    }
}
