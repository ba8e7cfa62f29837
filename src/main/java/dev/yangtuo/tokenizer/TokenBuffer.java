package dev.yangtuo.tokenizer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Collects the ids of one text and does what SentencePiece does to every model's result: a character without a piece becomes its UTF-8
 * bytes where the model falls back to bytes; elsewhere a run of such characters becomes one unknown id. Used by one thread.
 */
final class TokenBuffer {
    /** Ids that every buffer has room for, 32 KB. */
    private static final int SMALL = 1 << 13;

    /** Longest array that is kept for other long texts: 1 MiB of text that becomes nothing but bytes fits. 4.3 MB. */
    private static final int LONGEST_SPARE = (1 << 20) + (1 << 15);

    private final Vocabulary vocabulary;
    private final boolean byteFallback;
    /** Id of the piece of each byte, int32, [256]; empty without byte fallback. */
    private final int[] byteIds;
    private final int[] small = new int[SMALL];
    /** One array for long texts, shared with other buffers: whoever needs it takes it out, so that long texts in turn make no garbage. */
    private final AtomicReference<int @Nullable []> spare;
    /** The ids, int32, [size]: {@link #small} or a longer array. */
    private int[] ids = small;
    private int size;
    private boolean afterUnknown;

    /** Where each char of the text that is encoded comes from; null unless offsets are asked for. */
    private int @Nullable [] origins;
    /** Where each token begins and ends in the text that was given, in chars, int32, [size]. */
    private int[] starts = {};
    private int[] ends = {};
    /** Where the next token begins; -1 at the beginning of a text. */
    private int nextStart;
    /** The texts without a piece, in their order, and the tokens that stand for them. */
    private final List<StringBuilder> unknownTexts = new ArrayList<>();
    private final BitSet unknownTokens = new BitSet();

    /** What {@link #mark} noted: the fields of these names, the last token's end, and the texts without a piece with the last one's length. */
    private int markedSize;
    private boolean markedAfterUnknown;
    private int markedStart;
    private int markedEnd;
    private int markedTexts;
    private int markedTextLength;

    private TokenBuffer(Vocabulary vocabulary, boolean byteFallback, AtomicReference<int @Nullable []> spare) {
        this.vocabulary = vocabulary;
        this.spare = spare;
        this.byteFallback = byteFallback;
        this.byteIds = byteFallback ? vocabulary.byteIds() : new int[0];
    }

    /** {@return a buffer that shares nothing} */
    static TokenBuffer of(TokenizerModel model) {
        return of(model, new AtomicReference<>());
    }

    /** @param spare where buffers that are used in turn leave an array for long texts */
    static TokenBuffer of(TokenizerModel model, AtomicReference<int @Nullable []> spare) {
        return new TokenBuffer(model.vocabulary(), model instanceof SentencePieceModel sentencePiece && sentencePiece.byteFallback(), spare);
    }

    void clear() {
        size = 0;
        afterUnknown = false;
        unknownTexts.clear();
        unknownTokens.clear();
    }

    /**
     * Asks for offsets from now on.
     *
     * @param origins char in the text that was given of each char, and of the end, of the text that the calls below name; null for no offsets
     */
    void setOrigins(int @Nullable [] origins) {
        this.origins = origins;
        if (origins != null && ends.length < ids.length) {
            starts = Arrays.copyOf(starts, ids.length);
            ends = Arrays.copyOf(ends, ids.length);
        }
    }

    /** A text begins, or one of the parts between special tokens. */
    void begin() {
        afterUnknown = false;
        nextStart = -1;
    }

    /** Notes what there is, so that {@link #reset} can come back to it. */
    void mark() {
        markedSize = size;
        markedAfterUnknown = afterUnknown;
        markedStart = nextStart;
        markedEnd = origins != null && size > 0 ? ends[size - 1] : 0;
        markedTexts = unknownTexts.size();
        markedTextLength = markedTexts == 0 ? 0 : unknownTexts.getLast().length();
    }

    /** Drops what was added since {@link #mark}. */
    void reset() {
        size = markedSize;
        afterUnknown = markedAfterUnknown;
        nextStart = markedStart;
        if (origins != null && size > 0) {
            ends[size - 1] = markedEnd;
        }
        unknownTokens.clear(size, Math.max(size, unknownTokens.length()));
        unknownTexts.subList(markedTexts, unknownTexts.size()).clear();
        if (markedTexts > 0) {
            unknownTexts.getLast().setLength(markedTextLength);
        }
    }

    boolean byteFallback() {
        return byteFallback;
    }

    boolean hasOffsets() {
        return origins != null;
    }

    /** Adds a piece that ends at {@code end} in the normalized text. */
    void add(int id, int end) {
        append(id, end);
        afterUnknown = false;
    }

    /** Adds an id that no encoder found, for chars {@code [start, end)} of the text that was given. */
    void addMark(int id, int start, int end) {
        grow(1);
        if (origins != null) {
            starts[size] = start;
            ends[size] = end;
        }
        ids[size++] = id;
        afterUnknown = false;
    }

    /** Adds several ids of pieces, without offsets. */
    void addAll(int[] source, int from, int count) {
        grow(count);
        for (int i = 0; i < count; i++) {
            ids[size + i] = source[from + i];
        }
        size += count;
        afterUnknown = false;
    }

    /** Adds {@code text[start, end)}, which has no piece. */
    void addUnknown(char[] text, int start, int end) {
        if (byteFallback) {
            if (end - start == 1) {
                addBytes(text[start], start, end);
                return;
            }
            int at = start;
            while (at < end) {
                int codePoint = Character.codePointAt(text, at, end);
                at += Character.charCount(codePoint);
                addBytes(codePoint, start, at == end ? end : start);
            }
            return;
        }
        if (!afterUnknown) {
            append(vocabulary.unkId(), end);
            afterUnknown = true;
            if (origins != null) {
                unknownTexts.add(new StringBuilder());
                unknownTokens.set(size - 1);
            }
        }
        if (origins != null) {
            nextStart = origins[end];
            ends[size - 1] = nextStart;
            unknownTexts.getLast().append(text, start, end - start);
        }
    }

    /** The bytes of a character; all but the last one end where it begins, as they have no text of their own. */
    private void addBytes(int codePoint, int start, int end) {
        int count = codePoint < 0x80 ? 1 : codePoint < 0x800 ? 2 : codePoint < 0x10000 ? 3 : 4;
        grow(count);
        if (count == 1) {
            ids[size] = byteIds[codePoint];
        } else {
            for (int i = count - 1, rest = codePoint; i > 0; i--, rest >>= 6) {
                ids[size + i] = byteIds[0x80 | rest & 0x3F];
            }
            // The first byte has as many ones at its top as there are bytes.
            ids[size] = byteIds[0xF00 >> count & 0xFF | codePoint >> 6 * (count - 1)];
        }
        for (int i = 1; origins != null && i < count; i++) {
            notePlace(size + i - 1, start);
        }
        size += count;
        if (origins != null) {
            notePlace(size - 1, end);
        }
    }

    private void append(int id, int end) {
        grow(1);
        if (origins != null) {
            notePlace(size, end);
        }
        ids[size++] = id;
    }

    private void notePlace(int token, int end) {
        // Nothing was encoded before the first token, so its text stands at the beginning of the window still.
        starts[token] = nextStart < 0 ? origins[0] : nextStart;
        nextStart = origins[end];
        ends[token] = nextStart;
    }

    private void grow(int more) {
        if (ids.length - size < more) {
            enlarge(Math.addExact(size, more));
        }
    }

    private void enlarge(int needed) {
        int[] larger = ids == small ? spare.getAndSet(null) : null;
        if (larger == null || larger.length < needed) {
            int doubled = size > Integer.MAX_VALUE / 2 ? needed : 2 * size;
            larger = new int[Math.max(needed, needed <= LONGEST_SPARE ? Math.min(doubled, LONGEST_SPARE) : doubled)];
        }
        System.arraycopy(ids, 0, larger, 0, size);
        ids = larger;
        if (origins != null) {
            starts = Arrays.copyOf(starts, larger.length);
            ends = Arrays.copyOf(ends, larger.length);
        }
    }

    int size() {
        return size;
    }

    int id(int index) {
        return ids[index];
    }

    /** Whether the token stands for text without a piece, whose text is the next {@link #unknownText}. */
    boolean isUnknownText(int index) {
        return unknownTokens.get(index);
    }

    /** {@return where the token begins in the text that was given, in chars} */
    int start(int index) {
        return starts[index];
    }

    /** {@return where the token ends in the text that was given, in chars} */
    int end(int index) {
        return ends[index];
    }

    /** {@return the normalized text of the unknown id that is the {@code ordinal}-th of its kind} */
    String unknownText(int ordinal) {
        return unknownTexts.get(ordinal).toString();
    }

    /** Copies the ids to an array that has room for them. */
    void copyTo(int[] target, int at) {
        System.arraycopy(ids, 0, target, at, size);
    }

    /** Gives the ids away and goes on without them; for texts that are longer than memory. */
    void drainTo(IdConsumer consumer) {
        if (size > 0) {
            consumer.accept(ids, size);
            size = 0;
        }
    }

    /** Leaves what a long text made large to other buffers, or to the collector. */
    void trim() {
        if (ids != small) {
            int[] kept = spare.getPlain();
            if (ids.length <= LONGEST_SPARE && (kept == null || kept.length < ids.length)) {
                spare.set(ids);
            }
            ids = small;
        }
        if (ends.length > 0) {
            starts = new int[0];
            ends = new int[0];
        }
        unknownTexts.clear();
        unknownTokens.clear();
    }
}
