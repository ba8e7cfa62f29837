package dev.yangtuo.tokenizer;

import java.util.Arrays;

/**
 * Merges a long chunk window by window, so that everything happens in the first-level cache, and a window that repeats the one before
 * costs nothing. Used by one thread.
 *
 * <p>Why that is exact: merges are made in a fixed order, by rank, then by position. Let a row of pieces be given that covers a text, such that byte pair
 * encoding cuts each two neighbours, taken as a text of their own, into just those two. Then it cuts the whole text into that row. For consider
 * the first merge in the whole text that would reach across a border of the row. All merges before it happened within pieces, and among those of the two
 * pieces at that border in the same order as in the text of these two alone; so there, too, it would be made next, against the assumption. In
 * the other direction, what encoding made of a text fulfils the condition, because nothing reached across its borders. (The same holds
 * where a symbol stands for a piece. Compare the work on appendable encoders in GitHub's rust-gems.)
 *
 * <p>So each window begins with a piece that the window before found, too, at some distance from its end. If it is found again, all neighbours of
 * the row up to there are pairs that some window has proved. If not, which needs a text made for it, the chunk is merged as a whole.
 */
final class BpeWindows {
    /** Length of a window in chars. */
    private static final int WINDOW = 96;

    /** A piece this far from the end of a window, in chars, is taken for settled, and proved by the next one. */
    private static final int MARGIN = 16;

    private static final int KEPT = 1 << 12;

    private final BpeMerger merger;
    private final boolean possible;
    private int count;
    /** The row so far: symbols, and where each begins in the chunk; int32, [count]. */
    private int[] symbols = new int[WINDOW];
    private int[] starts = new int[WINDOW];

    BpeWindows(BpeMerger merger, BpeTables tables) {
        this.merger = merger;
        possible = !tables.unusedCanMerge();
    }

    /**
     * Merges {@code text[from, to)}.
     *
     * @return whether it did: not if the chunk is short, or the windows do not fit together
     */
    boolean merge(char[] text, int from, int to) {
        if (!possible || to - from <= WINDOW) {
            return false;
        }
        count = 0;
        int at = from;
        int end = mergeWindow(text, at, to);
        while (end < to) {
            int last = settledSymbols(end - at);
            if (last < 1) {
                return false;
            }
            append(at - from, last);
            int[] windowStarts = merger.starts();
            int length = windowStarts[last + 1] - windowStarts[last];
            int next = at + windowStarts[last];
            int nextEnd = windowEnd(text, next, to);
            if (nextEnd - next != end - at || !Arrays.equals(text, next, nextEnd, text, at, end)) {
                merger.merge(text, next, nextEnd);
            }
            at = next;
            end = nextEnd;
            int found = merger.count() > 1 ? merger.starts()[1] : end - at;
            if (found != length) {
                return false;
            }
        }
        append(at - from, merger.count());
        return true;
    }

    private int mergeWindow(char[] text, int at, int to) {
        int end = windowEnd(text, at, to);
        merger.merge(text, at, end);
        return end;
    }

    private int windowEnd(char[] text, int at, int to) {
        if (to - at <= WINDOW) {
            return to;
        }
        return at + WINDOW + (Character.isLowSurrogate(text[at + WINDOW]) ? 1 : 0);
    }

    /** {@return the index of the last symbol of the window that ends before the margin, or -1} */
    private int settledSymbols(int windowChars) {
        int[] windowStarts = merger.starts();
        int symbol = merger.count() - 2;
        while (symbol >= 0 && windowStarts[symbol + 1] > windowChars - MARGIN) {
            symbol--;
        }
        return symbol;
    }

    /** Appends the first symbols of the window to the row. */
    private void append(int windowStart, int more) {
        if (symbols.length - count < more) {
            int larger = Math.addExact(count, Math.max(more, count));
            symbols = Arrays.copyOf(symbols, larger);
            starts = Arrays.copyOf(starts, larger);
        }
        System.arraycopy(merger.symbols(), 0, symbols, count, more);
        int[] windowStarts = merger.starts();
        for (int i = 0; i < more; i++) {
            starts[count + i] = windowStart + windowStarts[i];
        }
        count += more;
    }

    int count() {
        return count;
    }

    /** {@return the symbols of the chunk, int32, [count]} */
    int[] symbols() {
        return symbols;
    }

    /** {@return where each begins, counted from the beginning of the chunk, int32, [count]} */
    int[] starts() {
        return starts;
    }

    /** Drops what a long chunk made large. */
    void trim() {
        if (symbols.length > KEPT) {
            symbols = new int[WINDOW];
            starts = new int[WINDOW];
        }
    }
}
