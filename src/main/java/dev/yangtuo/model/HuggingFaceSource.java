package dev.yangtuo.model;

import dev.yangtuo.checkpoint.Checkpoint;
import dev.yangtuo.checkpoint.TensorInfo;
import dev.yangtuo.checkpoint.UnreadableTensor;
import dev.yangtuo.exception.CheckpointFormatException;
import dev.yangtuo.tokenizer.Tokenizer;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** A Hugging Face directory. */
final class HuggingFaceSource extends ModelSource {
    /** Angles of RoPE that old checkpoints carry; they follow from the configuration. */
    private static final String IGNORED_SUFFIX = "rotary_emb.inv_freq";

    private final ModelConfig config;
    private final Path directory;

    /** @param checkpoint the weights of the directory, safetensors or PyTorch */
    HuggingFaceSource(Checkpoint checkpoint) {
        super(checkpoint);
        directory = checkpoint.path();
        config = HuggingFaceConfig.read(directory.resolve(HuggingFaceConfig.FILE_NAME));
        Set<String> expected = new HashSet<>(List.of(EMBEDDING, NORM, OUTPUT));
        for (int layer = 0; layer < config.nLayers(); layer++) {
            for (LayerParameter parameter : LayerParameter.values()) {
                require(parameter.name(layer), parameter.shape(config));
                expected.add(parameter.name(layer));
            }
        }
        embedding();
        norm();
        output();
        Stream.concat(checkpoint.tensors().stream().map(TensorInfo::name), checkpoint.unreadable().stream().map(UnreadableTensor::name))
                .filter(name -> !expected.contains(name) && !name.endsWith(IGNORED_SUFFIX))
                .findFirst()
                .ifPresent(name -> {
                    throw new CheckpointFormatException(directory, "tensor '%s' is not part of a LLaMA model of %d layers as %s describes it"
                            .formatted(name, config.nLayers(), HuggingFaceConfig.FILE_NAME));
                });
    }

    @Override
    ModelConfig config() {
        return config;
    }

    @Override
    Parameter embedding() {
        return plain(require(EMBEDDING, vocabularyShape()));
    }

    @Override
    Parameter norm() {
        return plain(require(NORM, List.of((long) config.dim())));
    }

    @Override
    @Nullable Parameter output() {
        return config.tiedEmbeddings() ? null : plain(require(OUTPUT, vocabularyShape()));
    }

    private List<Long> vocabularyShape() {
        return List.of((long) config.vocabSize(), (long) config.dim());
    }

    @Override
    Parameter layer(int layer, LayerParameter parameter) {
        Parameter stored = plain(require(parameter.name(layer), parameter.shape(config)));
        return parameter.isRotated() ? new Parameter(stored.rows(), stored.type(), null) : stored;
    }

    @Override
    Tokenizer tokenizer() {
        return TokenizerFiles.load(directory, config.vocabSize());
    }

    @Override
    GenerationConfig generation() {
        return GenerationConfig.isIn(directory) ? GenerationConfig.read(directory) : GenerationConfig.DEFAULT;
    }
}
