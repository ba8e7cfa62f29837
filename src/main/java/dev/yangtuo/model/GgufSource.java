package dev.yangtuo.model;

import dev.yangtuo.checkpoint.GgufCheckpoint;
import dev.yangtuo.checkpoint.GgufMetadata;
import dev.yangtuo.checkpoint.TensorInfo;
import dev.yangtuo.checkpoint.UnreadableTensor;
import dev.yangtuo.exception.CheckpointFormatException;
import dev.yangtuo.exception.UnsupportedModelException;
import dev.yangtuo.tensor.FloatRows;
import dev.yangtuo.tokenizer.Tokenizer;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** A GGUF file of the architecture {@code llama}. */
final class GgufSource extends ModelSource {
    private static final String ARCHITECTURE = "llama";

    /** Keys of ids that end a text, too. */
    static final List<String> MORE_END_IDS = List.of("tokenizer.ggml.eot_token_id", "tokenizer.ggml.eom_token_id");

    private final GgufCheckpoint gguf;
    private final ModelConfig config;

    GgufSource(GgufCheckpoint checkpoint) {
        super(checkpoint);
        gguf = checkpoint;
        Path file = checkpoint.path();
        config = readConfig(checkpoint);
        Set<String> expected = new HashSet<>(List.of(GGUF_EMBEDDING, GGUF_NORM, GGUF_OUTPUT, GgufRope.FACTORS));
        for (int layer = 0; layer < config.nLayers(); layer++) {
            for (LayerParameter parameter : LayerParameter.values()) {
                if (!parameter.isBias() || checkpoint.find(parameter.ggufName(layer)) != null) {
                    require(parameter.ggufName(layer), parameter.shape(config));
                    expected.add(parameter.ggufName(layer));
                }
            }
        }
        embedding();
        norm();
        output();
        Stream.concat(checkpoint.tensors().stream().map(TensorInfo::name), checkpoint.unreadable().stream().map(UnreadableTensor::name))
                .filter(name -> !expected.contains(name))
                .findFirst()
                .ifPresent(name -> {
                    throw new UnsupportedModelException(
                            file, "tensor '%s' is not understood; the model is of a kind that cannot be run".formatted(name));
                });
    }

    private static ModelConfig readConfig(GgufCheckpoint checkpoint) {
        GgufMetadata metadata = checkpoint.metadata();
        Path file = checkpoint.path();
        String architecture = metadata.string("general.architecture");
        if (!architecture.equals(ARCHITECTURE)) {
            throw new UnsupportedModelException(file, "its architecture is '%s'; '%s' can be run, others with the engine llama.cpp".formatted(architecture, ARCHITECTURE));
        }
        if (metadata.integer("llama.expert_count", 0) > 0) {
            throw new UnsupportedModelException(file, "it is a mixture of experts (llama.expert_count), which cannot be run");
        }
        TensorInfo embedding = checkpoint.find(GGUF_EMBEDDING);
        if (embedding == null || embedding.shape().size() != 2) {
            throw new CheckpointFormatException(file, "the embedding '%s' is missing or is no matrix".formatted(GGUF_EMBEDDING));
        }
        int dim = metadata.integer("llama.embedding_length");
        int heads = metadata.integer("llama.attention.head_count");
        if (heads < 1 || (!metadata.contains("llama.attention.key_length") && dim % heads != 0)) {
            throw new CheckpointFormatException(file, "llama.embedding_length is %d, llama.attention.head_count is %d: the first must be a multiple of the second"
                    .formatted(dim, heads));
        }
        int headDim = metadata.integer("llama.attention.key_length", dim / heads);
        for (String key : List.of("llama.attention.value_length", "llama.rope.dimension_count")) {
            if (metadata.integer(key, headDim) != headDim) {
                throw new UnsupportedModelException(file, "%s is %d, but heads have %d elements; this cannot be run"
                        .formatted(key, metadata.integer(key, headDim), headDim));
            }
        }
        int contextLength = metadata.integer("llama.context_length");
        try {
            return new ModelConfig(
                    dim,
                    metadata.integer("llama.feed_forward_length"),
                    metadata.integer("llama.block_count"),
                    heads,
                    metadata.integer("llama.attention.head_count_kv", heads),
                    headDim,
                    Math.toIntExact(embedding.shape().getFirst()),
                    contextLength,
                    metadata.number("llama.attention.layer_norm_rms_epsilon"),
                    GgufRope.read(checkpoint, headDim, contextLength),
                    GgufRope.readWindow(checkpoint, metadata.integer("llama.block_count")),
                    checkpoint.find(GGUF_OUTPUT) == null,
                    moreEndIds(metadata));
        } catch (IllegalArgumentException | ArithmeticException e) {
            throw new CheckpointFormatException(file, String.valueOf(e.getMessage()), e);
        }
    }

    /** Beside the end of sequence: the ends of a turn and of a message. */
    private static List<Integer> moreEndIds(GgufMetadata metadata) {
        return MORE_END_IDS.stream().filter(metadata::contains).map(metadata::integer).toList();
    }

    /** The file. */
    GgufCheckpoint gguf() {
        return gguf;
    }

    @Override
    ModelConfig config() {
        return config;
    }

    @Override
    Parameter embedding() {
        return plain(require(GGUF_EMBEDDING, vocabularyShape()));
    }

    @Override
    Parameter norm() {
        return plain(require(GGUF_NORM, List.of((long) config.dim())));
    }

    @Override
    @Nullable Parameter output() {
        return config.tiedEmbeddings() ? null : plain(require(GGUF_OUTPUT, vocabularyShape()));
    }

    private List<Long> vocabularyShape() {
        return List.of((long) config.vocabSize(), (long) config.dim());
    }

    @Override
    @Nullable Parameter layer(int layer, LayerParameter parameter) {
        if (parameter.isBias() && checkpoint().find(parameter.ggufName(layer)) == null) {
            return null;
        }
        Parameter stored = plain(require(parameter.ggufName(layer), parameter.shape(config)));
        if (!parameter.isRotated()) {
            return stored;
        }
        FloatRows halves = parameter.isVector()
                ? RowOrder.vectorInHalves(stored.rows(), config.headDim())
                : RowOrder.pairsToHalves(stored.rows(), config.headDim());
        return new Parameter(halves, stored.type(), stored.blocks());
    }

    @Override
    Tokenizer tokenizer() {
        return TokenizerFiles.of(gguf);
    }

    @Override
    GenerationConfig generation() {
        return GgufSampling.read(gguf.path(), gguf.metadata());
    }
}
