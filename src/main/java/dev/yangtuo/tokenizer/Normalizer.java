package dev.yangtuo.tokenizer;

import dev.yangtuo.exception.TokenizerFormatException;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Prepares text for segmentation: SentencePiece's normalizer.cc with the identity character map. Works on UTF-16 without half surrogate
 * pairs. Immutable, thread-safe.
 */
final class Normalizer {
    /** U+2581, how pieces write a space. */
    static final char SPACE_SYMBOL = '\u2581';

    private final boolean dummyPrefix;
    private final boolean dummySuffix;
    private final boolean removeExtraWhitespaces;
    private final char space;
    private final Vocabulary vocabulary;
    private final @Nullable UserDefinedMatcher userDefined;

    Normalizer(SentencePieceModel model, @Nullable UserDefinedMatcher userDefined) {
        NormalizerSpec spec = model.normalizer();
        if (spec.precompiledCharsmap().length > 0) {
            throw new TokenizerFormatException(model.source(), ("the normalizer '%s' with a compiled character map is not supported in "
                    + "this version; expected identity").formatted(spec.name()));
        }
        this.dummyPrefix = spec.addDummyPrefix() && !model.treatWhitespaceAsSuffix();
        this.dummySuffix = spec.addDummyPrefix() && model.treatWhitespaceAsSuffix();
        this.removeExtraWhitespaces = spec.removeExtraWhitespaces();
        this.space = spec.escapeWhitespaces() ? SPACE_SYMBOL : ' ';
        this.vocabulary = model.vocabulary();
        this.userDefined = userDefined;
    }

    /** Text ready for segmentation: {@code chars[0, length)}. */
    record Normalized(char[] chars, int length) {}

    /**
     * Normalizes a text.
     *
     * @param raw its chars in {@code [0, length)}, no half surrogate pair among them
     * @return the result, in another array
     */
    Normalized normalize(char[] raw, int length) {
        int from = removeExtraWhitespaces ? skipLeadingSpaces(raw, length) : 0;
        // An empty text, and one of nothing but removable spaces, get no dummy space.
        if (from == length) {
            return new Normalized(new char[0], 0);
        }
        char[] target = new char[Math.addExact(length - from, 1)];
        int size = 0;
        if (dummyPrefix) {
            target[size++] = space;
        }
        size = removeExtraWhitespaces
                ? copyRemovingSpaces(raw, from, length, target, size)
                : copyEscapingSpaces(raw, from, length, target, size);
        if (removeExtraWhitespaces) {
            while (size > 0 && target[size - 1] == space) {
                size--;
            }
        }
        if (dummySuffix) {
            target[size++] = space;
        }
        return new Normalized(target, size);
    }

    /** User-defined pieces need no care here: spaces inside them are escaped too, and nothing else is changed. */
    private int copyEscapingSpaces(char[] raw, int from, int to, char[] target, int at) {
        for (int i = from; i < to; i++) {
            char c = raw[i];
            target[at++] = c == ' ' ? space : c;
        }
        return at;
    }

    /**
     * Copies prefix by prefix, a prefix being a user-defined piece or one character, and drops the spaces that a prefix begins with
     * when the one before it ended in a space (or the text begins there). Spaces inside a user-defined piece stay.
     */
    private int copyRemovingSpaces(char[] raw, int from, int to, char[] target, int at) {
        boolean afterSpace = true;
        for (int i = from; i < to; ) {
            int end = prefixEnd(raw, i, to);
            int start = i;
            while (afterSpace && start < end && raw[start] == ' ') {
                start++;
            }
            if (start < end) {
                at = copyEscapingSpaces(raw, start, end, target, at);
                afterSpace = raw[end - 1] == ' ';
            }
            i = end;
        }
        return at;
    }

    private int skipLeadingSpaces(char[] raw, int length) {
        int from = 0;
        while (from < length && raw[from] == ' ' && prefixEnd(raw, from, length) == from + 1) {
            from++;
        }
        return from;
    }

    private int prefixEnd(char[] raw, int from, int to) {
        int id = userDefined == null ? -1 : userDefined.match(raw, from, to);
        if (id >= 0) {
            return from + vocabulary.piece(id).length();
        }
        return from + (Character.isHighSurrogate(raw[from]) ? 2 : 1);
    }

    /** {@return the text as UTF-16, every half surrogate pair replaced by U+FFFD} */
    static char[] wellFormed(String text) {
        char[] chars = text.toCharArray();
        for (int i = 0; i < chars.length; i++) {
            if (Character.isSurrogate(chars[i])) {
                if (Character.isHighSurrogate(chars[i]) && i + 1 < chars.length && Character.isLowSurrogate(chars[i + 1])) {
                    i++;
                } else {
                    chars[i] = '\uFFFD';
                }
            }
        }
        return chars;
    }

    /** {@return UTF-8 as UTF-16, every byte that is not part of a valid character replaced by U+FFFD} */
    static char[] wellFormed(byte[] utf8) {
        char[] chars = new char[utf8.length];
        int length = Utf8.toUtf16(utf8, chars);
        return length == chars.length ? chars : Arrays.copyOf(chars, length);
    }
}
