package dev.yangtuo.model;

import dev.yangtuo.checkpoint.MetaCheckpoint;
import dev.yangtuo.checkpoint.TensorInfo;
import dev.yangtuo.checkpoint.UnreadableTensor;
import dev.yangtuo.exception.CheckpointFormatException;
import dev.yangtuo.exception.TokenizerFormatException;
import dev.yangtuo.tokenizer.Tokenizer;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** A directory as Meta publishes models: {@code consolidated.NN.pth}, {@code params.json}, the tokenizer in it or one folder above. */
final class MetaSource extends ModelSource {
    static final String EMBEDDING_NAME = "tok_embeddings.weight";
    static final String OUTPUT_NAME = "output.weight";
    private static final String NORM_NAME = "norm.weight";
    /** Angles of RoPE, which follow from the configuration. */
    private static final String IGNORED = "rope.freqs";

    private final Path directory;
    private final ModelConfig config;

    MetaSource(MetaCheckpoint checkpoint) {
        super(checkpoint);
        directory = checkpoint.path();
        config = MetaConfig.read(directory.resolve(MetaConfig.FILE_NAME), checkpoint);
        Set<String> expected = new HashSet<>(List.of(EMBEDDING_NAME, NORM_NAME, OUTPUT_NAME, IGNORED));
        for (int layer = 0; layer < config.nLayers(); layer++) {
            for (LayerParameter parameter : LayerParameter.values()) {
                require(parameter.metaName(layer), parameter.shape(config));
                expected.add(parameter.metaName(layer));
            }
        }
        embedding();
        norm();
        output();
        Stream.concat(checkpoint.tensors().stream().map(TensorInfo::name), checkpoint.unreadable().stream().map(UnreadableTensor::name))
                .filter(name -> !expected.contains(name))
                .findFirst()
                .ifPresent(name -> {
                    throw new CheckpointFormatException(directory, "tensor '%s' is not part of a LLaMA model of %d layers as %s describes it"
                            .formatted(name, config.nLayers(), MetaConfig.FILE_NAME));
                });
    }

    @Override
    ModelConfig config() {
        return config;
    }

    @Override
    Parameter embedding() {
        return plain(require(EMBEDDING_NAME, vocabularyShape()));
    }

    @Override
    Parameter norm() {
        return plain(require(NORM_NAME, List.of((long) config.dim())));
    }

    @Override
    @Nullable Parameter output() {
        return config.tiedEmbeddings() ? null : plain(require(OUTPUT_NAME, vocabularyShape()));
    }

    private List<Long> vocabularyShape() {
        return List.of((long) config.vocabSize(), (long) config.dim());
    }

    @Override
    Parameter layer(int layer, LayerParameter parameter) {
        Parameter stored = plain(require(parameter.metaName(layer), parameter.shape(config)));
        if (!parameter.isRotated()) {
            return stored;
        }
        return new Parameter(RowOrder.pairsToHalves(stored.rows(), config.headDim()), stored.type(), stored.blocks());
    }

    /** LLaMA 1 and 2 came with one tokenizer for all sizes, in the folder above. */
    @Override
    Tokenizer tokenizer() {
        if (TokenizerFiles.isIn(directory)) {
            return TokenizerFiles.load(directory, config.vocabSize());
        }
        Path above = directory.toAbsolutePath().normalize().getParent();
        if (above != null && TokenizerFiles.isIn(above)) {
            return TokenizerFiles.load(above, config.vocabSize());
        }
        throw new TokenizerFormatException(directory, "%s is missing, here and in the folder above; put the tokenizer that belongs to the model there"
                .formatted(TokenizerFiles.FILE_NAME));
    }

    @Override
    GenerationConfig generation() {
        return GenerationConfig.isIn(directory) ? GenerationConfig.read(directory) : GenerationConfig.DEFAULT;
    }
}
