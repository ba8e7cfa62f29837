package dev.yangtuo.tokenizer;

import dev.yangtuo.exception.TokenizerFormatException;
import org.jspecify.annotations.Nullable;

/** Cuts normalized text into pieces. Implementations are immutable and thread-safe. */
sealed interface Encoder permits BpeEncoder, UnigramEncoder, ByteLevelEncoder, ForeignEncoder {
    /** {@return the arrays and caches to encode with, for one thread at a time} */
    Worker newWorker();

    /** Encodes one text after the other, each window by window. */
    interface Worker {
        /** A new text begins. */
        void begin();

        /**
         * Appends the ids of {@code text[from, to)} as far as they cannot depend on what may follow.
         *
         * @param text normalized UTF-16 without half surrogate pairs; at {@code from} it goes on where the call before returned
         * @param last whether the text ends at {@code to}
         * @return where the rest begins that is to be given again, followed by more; {@code to} if it is the last part
         */
        int encode(char[] text, int from, int to, boolean last, TokenBuffer target);

        /** Drops what a long text made large. */
        void trim();
    }

    /** {@return the encoder of the model's kind} */
    static Encoder of(TokenizerModel model, @Nullable PieceMatcher userDefined) {
        // Not a switch over patterns: that is linked when it first runs, which takes longer than half of what loading takes.
        if (model instanceof ByteLevelModel byteLevel) {
            return new ByteLevelEncoder(byteLevel, userDefined);
        }
        if (model instanceof ForeignModel foreign) {
            return new ForeignEncoder(foreign);
        }
        SentencePieceModel sentencePiece = (SentencePieceModel) model;
        return switch (sentencePiece.type()) {
            case BPE -> new BpeEncoder(sentencePiece, BpeTables.of(sentencePiece), userDefined);
            case UNIGRAM -> new UnigramEncoder(UnigramTables.of(sentencePiece));
            case WORD, CHAR -> throw new TokenizerFormatException(model.source(),
                    "the model is of kind %s, which is not supported; expected BPE or UNIGRAM".formatted(sentencePiece.type()));
        };
    }
}
