package dev.yangtuo.model;

import dev.yangtuo.exception.AdapterException;
import dev.yangtuo.exception.CheckpointFormatException;
import dev.yangtuo.lora.LoraAdapter;
import dev.yangtuo.lora.LoraMerge;
import dev.yangtuo.lora.LoraRequest;
import dev.yangtuo.lora.LoraStack;
import dev.yangtuo.lora.MergeReport;
import dev.yangtuo.tensor.FloatRows;
import dev.yangtuo.tensor.TensorType;
import dev.yangtuo.tokenizer.Tokenizer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A base model with its adapters, opened and held against each other: what loading packs and what exporting writes. Parameters are merged
 * while their rows are read, so that nothing exists whole. Closing it closes the files; whatever was read before stays valid.
 */
final class MergedModel implements AutoCloseable {
    private final CloseStack files;
    private final ModelSource source;
    private final List<LoraAdapter> adapters;
    private final LoraMerge merge;
    private final ModelConfig config;
    private final Set<LayerParameter> biases;
    /** Found by a thread of its own, since it takes as long as everything else that is done before weights are read. */
    private final Background<Tokenizer> tokenizer;

    private MergedModel(CloseStack files, ModelSource source, List<LoraAdapter> adapters, boolean float16, RopeOverride rope) {
        this.files = files;
        this.source = source;
        this.adapters = adapters;
        ModelConfig base = source.config();
        this.merge = new LoraMerge(adapters, new LoraMerge.Base(
                source.path(), base.vocabSize(), base.tiedEmbeddings(), float16, rows -> RowOrder.pairsToHalves(rows, base.headDim())));
        this.config = rope.applyTo(base.withVocabulary(Math.toIntExact(merge.vocabularySize()), merge.outputTied()), source.path());
        this.biases = findBiases();
        checkAdapters();
        this.tokenizer = Background.start("yangtuo-tokenizer", this::findTokenizer);
    }

    /**
     * Opens a model and its adapters. What is wrong with the tokenizer is said by {@link #tokenizer()}.
     *
     * @param path a model of any kind that {@link ModelSource} reads
     * @param lora its adapters
     */
    static MergedModel open(Path path, LoraStack lora) {
        return open(ModelSource.open(path), lora, RopeOverride.NONE);
    }

    /**
     * The same.
     *
     * @param source the model; closed with this, and when this fails
     * @param rope what takes the place of what the model says about RoPE
     */
    static MergedModel open(ModelSource source, LoraStack lora, RopeOverride rope) {
        CloseStack files = new CloseStack();
        try {
            files.push(source);
            List<LoraAdapter> adapters = new ArrayList<>();
            for (LoraRequest adapter : lora.adapters()) {
                adapters.add(files.push(LoraAdapter.open(adapter)));
            }
            return new MergedModel(files, source, adapters, lora.float16(), rope);
        } catch (RuntimeException | Error e) {
            try {
                files.close();
            } catch (RuntimeException suppressed) {
                e.addSuppressed(suppressed);
            }
            throw e;
        }
    }

    /** The base model's path. */
    Path path() {
        return source.path();
    }

    /** The base model. */
    ModelSource source() {
        return source;
    }

    /** The adapters, in the order in which they are merged. */
    List<LoraAdapter> adapters() {
        return adapters;
    }

    /** Directories and files of the adapters, in the order in which they are merged. */
    List<Path> adapterPaths() {
        return adapters.stream().map(LoraAdapter::path).toList();
    }

    /** The hyper-parameters of the base. */
    ModelConfig baseConfig() {
        return source.config();
    }

    /** The hyper-parameters with the vocabulary that results. */
    ModelConfig config() {
        return config;
    }

    /**
     * The last adapter's tokenizer that has one, else the model's.
     *
     * @throws dev.yangtuo.exception.YangtuoException if it is damaged, missing, or does not fit the vocabulary
     */
    Tokenizer tokenizer() {
        return tokenizer.join();
    }

    /** The template of a chat that belongs to the tokenizer: beside it, or in its GGUF file. */
    Optional<ChatTemplateSource> chatTemplate() {
        return hasOwnTokenizer() && source instanceof GgufSource gguf ? ChatTemplate.of(gguf.gguf()) : ChatTemplate.beside(tokenizer().model().source());
    }

    /** Whether no adapter brings a tokenizer of its own. */
    boolean hasOwnTokenizer() {
        return adapters.stream().allMatch(adapter -> adapter.tokenizerModel() == null);
    }

    /** Ids that end a text by whatever says so: the tokenizer's first. Each is in the vocabulary. */
    Set<Integer> endIds() {
        return endIds(tokenizer());
    }

    /** The same with another tokenizer. */
    Set<Integer> endIds(Tokenizer tokenizer) {
        Set<Integer> ids = new LinkedHashSet<>(List.of(tokenizer.eosId()));
        ids.addAll(generation().eosIds());
        ids.addAll(config.eosIds());
        ids.removeIf(id -> id < 0 || id >= config.vocabSize());
        return ids;
    }

    /** What the last adapter that says so recommends, else the model. */
    GenerationConfig generation() {
        for (LoraAdapter adapter : adapters.reversed()) {
            if (GenerationConfig.isIn(adapter.path())) {
                return GenerationConfig.read(adapter.path());
            }
        }
        return source.generation();
    }

    MergedParameter embedding() {
        return merged(ModelSource.EMBEDDING, source.embedding());
    }

    MergedParameter norm() {
        return merged(ModelSource.NORM, source.norm());
    }

    /** The output matrix; null if it is the embedding. Where an adapter unties it, its base is the embedding. */
    @Nullable MergedParameter output() {
        if (config.tiedEmbeddings()) {
            return null;
        }
        Parameter output = source.output();
        return merged(ModelSource.OUTPUT, output == null ? source.embedding() : output);
    }

    /** A parameter of a layer; null for a bias that the model does not have. */
    @Nullable MergedParameter layer(int layer, LayerParameter parameter) {
        if (parameter.isBias() && !biases.contains(parameter)) {
            return null;
        }
        return merged(parameter.name(layer), parameter, layer, base(layer, parameter));
    }

    /** What the base stores. A bias that it lacks is zeros: an adapter may bring it. */
    private Parameter base(int layer, LayerParameter parameter) {
        Parameter stored = source.layer(layer, parameter);
        if (stored != null) {
            return stored;
        }
        float[] zeros = new float[Math.toIntExact(parameter.shape(config).getFirst())];
        return new Parameter(FloatRows.of(zeros, zeros.length), TensorType.F32, null);
    }

    /**
     * The biases that the model has: all of attention's or none, and likewise of the feed-forward part, since configurations can say nothing else. Those that
     * neither the base nor an adapter brings are zeros.
     */
    private Set<LayerParameter> findBiases() {
        Set<LayerParameter> found = EnumSet.noneOf(LayerParameter.class);
        for (List<LayerParameter> group : List.of(LayerParameter.ATTENTION_BIASES, LayerParameter.FFN_BIASES)) {
            for (int layer = 0; layer < config.nLayers() && !found.containsAll(group); layer++) {
                for (LayerParameter bias : group) {
                    if (source.layer(layer, bias) != null || merge.changes(bias.name(layer))) {
                        found.addAll(group);
                    }
                }
            }
        }
        return found;
    }

    private MergedParameter merged(String name, Parameter stored) {
        return merged(name, null, -1, stored);
    }

    private MergedParameter merged(String name, @Nullable LayerParameter kind, int layer, Parameter stored) {
        FloatRows rows = merge.apply(name, stored.rows());
        int headDim = kind != null && kind.isRotated() ? config.headDim() : 0;
        return new MergedParameter(name, kind, layer, rows, stored.type(), rows == stored.rows() ? stored.blocks() : null, headDim);
    }

    /** Every parameter in the order of the model, without anything being read. */
    void forEach(Consumer<MergedParameter> action) {
        action.accept(embedding());
        for (int layer = 0; layer < config.nLayers(); layer++) {
            for (LayerParameter kind : LayerParameter.values()) {
                MergedParameter parameter = layer(layer, kind);
                if (parameter != null) {
                    action.accept(parameter);
                }
            }
        }
        action.accept(norm());
        MergedParameter output = output();
        if (output != null) {
            action.accept(output);
        }
    }

    /**
     * Ends the merge, after the last row was read.
     *
     * @return what was done
     */
    MergeReport finish() {
        return merge.finish();
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
        for (int layer = 0; layer < config.nLayers(); layer++) {
            for (LayerParameter parameter : LayerParameter.values()) {
                if (!parameter.isBias() || biases.contains(parameter)) {
                    parameters.put(parameter.name(layer), base(layer, parameter).rows());
                }
            }
        }
        merge.check(parameters);
    }

    /** It must fit the vocabulary that results; that of an earlier adapter must fit the vocabulary that this one brings. */
    private Tokenizer findTokenizer() {
        Tokenizer last = null;
        for (LoraAdapter adapter : adapters.reversed()) {
            Path file = adapter.tokenizerModel();
            if (file != null && (last == null || adapter.embeddingRows().isPresent())) {
                long rows = last == null ? merge.vocabularySize() : merge.vocabularyAfter(adapter);
                Tokenizer found = TokenizerFiles.load(adapter.path(), rows);
                if (found.vocabSize() != rows && !isPaddedAsTheBase(found, rows)) {
                    throw new AdapterException(adapter.path(), ("its %s has %d pieces, but the vocabulary with it has %d rows;"
                            + " take the tokenizer that belongs to the adapter").formatted(file.getFileName(), found.vocabSize(), rows));
                }
                last = last == null ? found : last;
            }
        }
        return last == null ? baseTokenizer() : last;
    }

    private Tokenizer baseTokenizer() {
        Tokenizer own = source.tokenizer();
        if (merge.vocabularySize() != source.config().vocabSize()) {
            LoraAdapter last = adapters.getLast();
            throw new AdapterException(last.path(), ("it brings a vocabulary of %d rows, but no tokenizer.model, and the model's has %d pieces;"
                    + " put the tokenizer that belongs to the adapter into its directory").formatted(merge.vocabularySize(), own.vocabSize()));
        }
        if (own.vocabSize() > merge.vocabularySize()) {
            throw new CheckpointFormatException(source.path(), "its tokenizer has %d pieces, but its vocabulary only %d rows"
                    .formatted(own.vocabSize(), merge.vocabularySize()));
        }
        return own;
    }

    /** Whether no adapter changes a vocabulary that has more rows than the model's own tokenizer has pieces, as many as this one. */
    private boolean isPaddedAsTheBase(Tokenizer found, long rowsWithIt) {
        int rows = source.config().vocabSize();
        return rowsWithIt == rows && found.vocabSize() < rows && found.vocabSize() == source.tokenizer().vocabSize();
    }

    @Override
    public void close() {
        tokenizer.discard(found -> {}); // it reads the files
        files.close();
    }
}
