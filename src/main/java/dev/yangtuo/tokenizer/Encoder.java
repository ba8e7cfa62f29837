package dev.yangtuo.tokenizer;

import dev.yangtuo.exception.TokenizerFormatException;
import org.jspecify.annotations.Nullable;

/** Cuts normalized text into pieces. Implementations are immutable and thread-safe; a call allocates what it needs. */
sealed interface Encoder permits BpeEncoder {
    /**
     * Appends the pieces of {@code text[0, length)}.
     *
     * @param text normalized, without half surrogate pairs
     */
    void encode(char[] text, int length, TokenBuffer target);

    /** {@return the encoder of the model's kind} */
    static Encoder of(SentencePieceModel model, @Nullable UserDefinedMatcher userDefined) {
        return switch (model.type()) {
            case BPE -> new BpeEncoder(model.vocabulary(), BpeTables.of(model), userDefined);
            case UNIGRAM -> throw new TokenizerFormatException(model.source(),
                    "unigram models cannot encode in this version; expected a BPE model");
            case WORD, CHAR -> throw new TokenizerFormatException(model.source(),
                    "the model is of kind %s, which is not supported; expected BPE".formatted(model.type()));
        };
    }
}
