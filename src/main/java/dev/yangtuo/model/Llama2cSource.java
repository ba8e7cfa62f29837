package dev.yangtuo.model;

import dev.yangtuo.checkpoint.Llama2cCheckpoint;
import dev.yangtuo.checkpoint.Llama2cCheckpoint.Header;
import dev.yangtuo.exception.CheckpointFormatException;
import dev.yangtuo.exception.TokenizerFormatException;
import dev.yangtuo.tensor.FloatRows;
import dev.yangtuo.tensor.TensorType;
import dev.yangtuo.tokenizer.SentencePieceModel;
import dev.yangtuo.tokenizer.Tokenizer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A model file of llama2.c, with its tokenizer beside it. What the file does not say is what llama2.c computes with. */
final class Llama2cSource extends ModelSource {
    private static final float NORM_EPS = 1e-5f;
    private static final float ROPE_THETA = 10_000f;
    private static final String SENTENCEPIECE = "tokenizer.model";
    private static final String OWN = "tokenizer.bin";

    private final Llama2cCheckpoint file;
    private final ModelConfig config;

    Llama2cSource(Llama2cCheckpoint checkpoint) {
        super(checkpoint);
        file = checkpoint;
        Header header = checkpoint.header();
        try {
            config = new ModelConfig(
                    header.dim(),
                    header.hiddenDim(),
                    header.layers(),
                    header.heads(),
                    header.kvHeads(),
                    header.headDim(),
                    header.vocabSize(),
                    header.contextLength(),
                    NORM_EPS,
                    RopeConfig.plain(ROPE_THETA),
                    SlidingWindow.NONE,
                    header.tied(),
                    List.of());
        } catch (IllegalArgumentException e) {
            throw new CheckpointFormatException(checkpoint.path(), String.valueOf(e.getMessage()), e);
        }
    }

    @Override
    ModelConfig config() {
        return config;
    }

    @Override
    Parameter embedding() {
        return matrix("tok_embeddings.weight");
    }

    @Override
    Parameter norm() {
        return plain(file.require("norm.weight"));
    }

    @Override
    @Nullable Parameter output() {
        return config.tiedEmbeddings() ? null : matrix("output.weight");
    }

    @Override
    @Nullable Parameter layer(int layer, LayerParameter parameter) {
        if (parameter.isBias()) {
            return null;
        }
        String name = parameter.metaName(layer);
        if (parameter.isVector()) {
            return plain(file.require(name));
        }
        Parameter stored = matrix(name);
        return parameter.isRotated()
                ? new Parameter(RowOrder.pairsToHalves(stored.rows(), config.headDim()), stored.type(), stored.blocks())
                : stored;
    }

    /** Bytes in groups (version 2) are kept as Q8_0 unless something else is asked for. */
    private Parameter matrix(String name) {
        FloatRows rows = file.matrix(name);
        return file.header().version() == 2 ? new Parameter(rows, TensorType.Q8_0, null) : plain(file.require(name));
    }

    @Override
    Tokenizer tokenizer() {
        Path sentencePiece = file.path().resolveSibling(SENTENCEPIECE);
        if (Files.exists(sentencePiece)) {
            return Tokenizer.of(SentencePieceModel.read(sentencePiece));
        }
        Path own = file.path().resolveSibling(OWN);
        if (Files.exists(own)) {
            return Tokenizer.of(Llama2cTokenizer.read(own, config.vocabSize()));
        }
        throw new TokenizerFormatException(own, "there is no such file, nor %s beside the model; put the tokenizer that belongs to it there"
                .formatted(SENTENCEPIECE));
    }

    @Override
    GenerationConfig generation() {
        return GenerationConfig.DEFAULT;
    }
}
