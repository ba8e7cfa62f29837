package dev.yangtuo.tokenizer;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Collects the ids of one text and does what SentencePiece does to every model's result: a character without a piece becomes its UTF-8
 * bytes where the model falls back to bytes; elsewhere a run of such characters becomes one unknown id. Used by one thread.
 */
final class TokenBuffer {
    private final Vocabulary vocabulary;
    private final boolean byteFallback;
    private int[] ids;
    /** Where each token ends in the normalized text, int32, [tokens], in chars; null unless asked for. */
    private int @Nullable [] ends;
    private int size;
    private boolean afterUnknown;

    /**
     * @param expectedTokens a guess, for the first allocation
     * @param withEnds whether {@link #end} will be asked
     */
    TokenBuffer(SentencePieceModel model, int expectedTokens, boolean withEnds) {
        this(model.vocabulary(), model.byteFallback(), expectedTokens, withEnds);
    }

    /** @param byteFallback whether unknown characters become their bytes */
    TokenBuffer(Vocabulary vocabulary, boolean byteFallback, int expectedTokens, boolean withEnds) {
        this.vocabulary = vocabulary;
        this.byteFallback = byteFallback;
        ids = new int[Math.max(16, expectedTokens)];
        ends = withEnds ? new int[ids.length] : null;
    }

    /** Adds a piece that ends at {@code end} in the normalized text. */
    void add(int id, int end) {
        append(id, end);
        afterUnknown = false;
    }

    /** Adds {@code text[start, end)}, which has no piece. */
    void addUnknown(char[] text, int start, int end) {
        if (byteFallback) {
            int at = start;
            while (at < end) {
                int codePoint = Character.codePointAt(text, at, end);
                at += Character.charCount(codePoint);
                addBytes(codePoint, start, at == end ? end : start);
            }
        } else if (afterUnknown) {
            if (ends != null) {
                ends[size - 1] = end;
            }
        } else {
            append(vocabulary.unkId(), end);
            afterUnknown = true;
        }
    }

    /** The bytes of a character; all but the last one stand before it, as they have no text of their own. */
    private void addBytes(int codePoint, int start, int end) {
        if (codePoint < 0x80) {
            append(vocabulary.byteId(codePoint), end);
            return;
        }
        if (codePoint < 0x800) {
            append(vocabulary.byteId(0xC0 | codePoint >> 6), start);
        } else {
            if (codePoint < 0x10000) {
                append(vocabulary.byteId(0xE0 | codePoint >> 12), start);
            } else {
                append(vocabulary.byteId(0xF0 | codePoint >> 18), start);
                append(vocabulary.byteId(0x80 | codePoint >> 12 & 0x3F), start);
            }
            append(vocabulary.byteId(0x80 | codePoint >> 6 & 0x3F), start);
        }
        append(vocabulary.byteId(0x80 | codePoint & 0x3F), end);
    }

    private void append(int id, int end) {
        if (size == ids.length) {
            int larger = Math.addExact(size, Math.max(16, size >> 1));
            ids = Arrays.copyOf(ids, larger);
            ends = ends == null ? null : Arrays.copyOf(ends, larger);
        }
        ids[size] = id;
        if (ends != null) {
            ends[size] = end;
        }
        size++;
    }

    int size() {
        return size;
    }

    int id(int index) {
        return ids[index];
    }

    /** {@return where the token ends in the normalized text, in chars} It begins where the one before it ends. */
    int end(int index) {
        if (ends == null) {
            throw new IllegalStateException("ends were not asked for");
        }
        return ends[index];
    }

    /** {@return the ids, with others before and after them; -1 adds none} */
    int[] toArray(int first, int last) {
        int offset = first < 0 ? 0 : 1;
        int[] result = new int[offset + size + (last < 0 ? 0 : 1)];
        System.arraycopy(ids, 0, result, offset, size);
        if (first >= 0) {
            result[0] = first;
        }
        if (last >= 0) {
            result[offset + size] = last;
        }
        return result;
    }
}
