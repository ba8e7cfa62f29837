package dev.yangtuo.model;

import dev.yangtuo.exception.YangtuoException;
import dev.yangtuo.tokenizer.SentencePieceModel;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * Writes models of a wanted shape with random weights, for measurements: a file that every program reads as it reads a trained one, and that takes no less
 * time to compute. The same shape gives the same bytes.
 */
public final class SyntheticModel {
    private static final long SEED = 1;

    private SyntheticModel() {}

    /**
     * Writes one.
     *
     * @param shape its sizes; with a tokenizer, a vocabulary of at least its pieces
     * @param tokenizer a SentencePiece model whose pieces it gets; null for pieces that are made up
     * @param output as for {@link ModelExport#run}
     * @param settings with a type for the matrices, else they are F32
     * @throws YangtuoException if the tokenizer has more pieces than the shape, or is none; or if the file cannot be written
     */
    public static ExportedModel write(SyntheticShape shape, @Nullable Path tokenizer, Path output, ExportSettings settings) {
        SentencePieceModel pieces = tokenizer == null
                ? SyntheticVocabulary.of(Path.of("synthetic-" + shape.name()), shape.vocabSize())
                : SentencePieceModel.read(tokenizer);
        if (pieces.vocabulary().size() > shape.vocabSize()) {
            throw new YangtuoException("%s: has %d pieces, more than the vocabulary of %d".formatted(tokenizer, pieces.vocabulary().size(), shape.vocabSize()));
        }
        return ModelExport.run(() -> new SyntheticSource(shape, pieces, SEED), output, settings);
    }
}
