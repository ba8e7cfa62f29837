package dev.yangtuo.tokenizer;

import java.util.Arrays;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * The arrays that one text passes through while it is encoded, window by window, so that neither a long text nor many short ones take
 * memory beyond their ids:
 *
 * <pre>
 *   source -> raw, UTF-16 -> {@link Normalizer} -> text, normalized -> {@link Encoder.Worker} -> tokens
 * </pre>
 *
 * Each step leaves what it cannot decide yet for the next window. Used by one thread at a time; kept in a {@link WorkspacePool} in between.
 */
final class Workspace {
    /** Chars that are read at once; small enough for everything to stay in the first-level cache. */
    static final int WINDOW = 4096;

    /** Arrays of this length are worth keeping for the next text. */
    private static final int KEPT_CHARS = 4 * WINDOW;

    /** Longest array that is kept for other long texts: 1 MiB of letters without a cut fits. 2.2 MB. */
    private static final int LONGEST_SPARE = (1 << 20) + (1 << 16);

    final Encoder.Worker worker;
    final TokenBuffer tokens;
    final TextSource.Chars chars = new TextSource.Chars();
    final TextSource.Bytes bytes = new TextSource.Bytes();

    /** Text as it was given, UTF-16, [rawFrom, rawTo) of it not normalized yet. */
    char[] raw = new char[2 * WINDOW];
    int rawFrom;
    int rawTo;
    /** Chars of the text before {@code raw[0]}. */
    private int rawBase;

    /** Normalized text, UTF-16, [textFrom, textTo) of it not encoded yet. */
    char[] text = new char[2 * WINDOW];
    int textFrom;
    int textTo;
    /** The normalized text up to here stays; what follows may have to be dropped, as spaces at the end. */
    int textSettled;

    /**
     * Char of the given text that each char of {@link #text} comes from, and one more for the end; int32, [textTo + 1]. Null unless offsets are
     * asked for.
     */
    int @Nullable [] origins;
    private int[] originsKept = {};

    /** Chars of settled text that are worth encoding. */
    private int enough;

    /** Whether anything of the text was written, the dummy space included. */
    boolean begun;
    /** Whether the last thing written ended in a space, which then swallows spaces that follow. */
    boolean afterSpace;

    /** One array for texts that cannot be cut, shared with other workspaces as {@link TokenBuffer} shares one of ids. */
    private final AtomicReference<char @Nullable []> spareText;

    /** @param spareText where workspaces that are used in turn leave an array for long texts */
    Workspace(Encoder encoder, TokenBuffer tokens, AtomicReference<char @Nullable []> spareText) {
        this.worker = encoder.newWorker();
        this.tokens = tokens;
        this.spareText = spareText;
    }

    /**
     * Makes ready for a text whose ids are appended to {@link #tokens}.
     *
     * @param withOffsets whether offsets are asked for
     * @param firstChar number of its first char, from which offsets count on
     */
    void begin(boolean withOffsets, int firstChar) {
        rawFrom = 0;
        rawTo = 0;
        rawBase = firstChar;
        textFrom = 0;
        textTo = 0;
        textSettled = 0;
        enough = 0;
        begun = false;
        if (withOffsets && originsKept.length < text.length + 1) {
            originsKept = new int[text.length + 1];
        }
        origins = withOffsets ? originsKept : null;
        tokens.setOrigins(origins);
        tokens.begin();
        worker.begin();
    }

    /**
     * Makes room to read a window.
     *
     * @return how many chars fit behind {@link #rawTo}
     */
    int makeRawRoom() {
        int rest = rawTo - rawFrom;
        System.arraycopy(raw, rawFrom, raw, 0, rest);
        rawBase += rawFrom;
        rawFrom = 0;
        rawTo = rest;
        int room = Math.max(WINDOW, rest);
        if (raw.length - rawTo < room) {
            raw = Arrays.copyOf(raw, Math.addExact(rawTo, room));
        }
        return room;
    }

    /** {@return the number of the char at that index of {@link #raw} in the text that was given} */
    int origin(int rawIndex) {
        return rawBase + rawIndex;
    }

    /** Makes room for more chars behind {@link #textTo}. */
    void makeTextRoom(int more) {
        if (text.length - textTo < more) {
            int needed = Math.addExact(textTo, more);
            char[] larger = text.length <= KEPT_CHARS ? spareText.getAndSet(null) : null;
            if (larger == null || larger.length < needed) {
                int size = Math.addExact(needed, Math.max(WINDOW, textTo >> 1));
                larger = new char[needed <= LONGEST_SPARE ? Math.min(size, LONGEST_SPARE) : size];
            }
            System.arraycopy(text, 0, larger, 0, textTo);
            text = larger;
        }
        if (origins != null && origins.length < text.length + 1) {
            origins = Arrays.copyOf(origins, text.length + 1);
            originsKept = origins;
            tokens.setOrigins(origins);
        }
    }

    /** Appends a char of normalized text that comes from that char of the text that was given. There must be room. */
    void write(char c, int origin) {
        if (origins != null) {
            origins[textTo] = origin;
        }
        text[textTo++] = c;
    }

    /**
     * Encodes what is settled, and moves what is left to the front. Where much is left, as of a chunk without a cut, it waits until there is twice as
     * much, so that looking at it again and again stays linear in the length of the text.
     */
    void encode(boolean last) {
        int to = last ? textTo : textSettled;
        if (!last && to - textFrom < enough) {
            return;
        }
        int rest = worker.encode(text, textFrom, to, last, tokens);
        int left = textTo - rest;
        enough = to - rest > WINDOW ? 2 * (to - rest) : 0;
        if (rest < WINDOW && left > 0) {
            textFrom = rest; // moved when it pays
            return;
        }
        System.arraycopy(text, rest, text, 0, left);
        if (origins != null) {
            System.arraycopy(origins, rest, origins, 0, left);
        }
        textFrom = 0;
        textTo = left;
        textSettled -= rest;
    }

    /** Drops what a long text made large. */
    void trim() {
        chars.release();
        bytes.release();
        origins = null;
        tokens.setOrigins(null);
        tokens.trim();
        if (raw.length > KEPT_CHARS) {
            raw = new char[2 * WINDOW];
        }
        if (text.length > KEPT_CHARS) {
            char[] kept = spareText.getPlain();
            if (text.length <= LONGEST_SPARE && (kept == null || kept.length < text.length)) {
                spareText.set(text);
            }
            text = new char[2 * WINDOW];
        }
        if (originsKept.length > KEPT_CHARS) {
            originsKept = new int[0];
        }
        worker.trim();
    }
}
