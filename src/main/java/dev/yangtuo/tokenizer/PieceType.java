package dev.yangtuo.tokenizer;

import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What a piece is for. The numbers are those of {@code ModelProto.SentencePiece.Type} in the model file; GGUF's
 * {@code tokenizer.ggml.token_type} uses the same ones.
 */
public enum PieceType {
    /** Ordinary text. */
    NORMAL(1),
    /** The one piece that stands for text that no other piece covers. */
    UNKNOWN(2),
    /** A mark such as {@code <s>}: never found in text, invisible when decoded. */
    CONTROL(3),
    /** A string that always stays whole, matched before anything else. */
    USER_DEFINED(4),
    /** Takes part in merges but is never produced. */
    UNUSED(5),
    /** One byte of a character that has no piece, written {@code <0xNN>}. */
    BYTE(6);

    /** Declared in the order of their numbers, which begin at 1. */
    private static final PieceType[] BY_NUMBER = values();

    private final int number;

    PieceType(int number) {
        this.number = number;
    }

    /** {@return the number that stands for this type in a model file and in a GGUF} */
    public int number() {
        return number;
    }

    /**
     * {@return the type that a number stands for, empty when none does}
     *
     * @param number as found in a model file
     */
    public static Optional<PieceType> ofNumber(long number) {
        return Optional.ofNullable(orNull(number));
    }

    /** As {@link #ofNumber}, for loops over whole vocabularies. */
    static @Nullable PieceType orNull(long number) {
        return number >= 1 && number <= BY_NUMBER.length ? BY_NUMBER[(int) number - 1] : null;
    }

    /** Whether SentencePiece keeps such pieces apart from those that text can match: in a map of their own, asked first. */
    boolean isReserved() {
        return this == UNKNOWN || this == CONTROL || this == BYTE;
    }
}
