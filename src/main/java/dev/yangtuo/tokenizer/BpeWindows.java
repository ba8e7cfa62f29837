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

    private final BpeMerger merger;
    private final Writer writer;
    private final boolean possible;

    /** Writes symbols. */
    interface Writer {
        /**
         * Writes the first symbols of those that the merger has.
         *
         * @param from where the merged part of the text begins
         * @param to where the last of these symbols ends
         * @param count how many
         * @return whether all of them are pieces
         */
        boolean write(char[] text, int from, int to, int count, TokenBuffer target);
    }

    BpeWindows(BpeMerger merger, BpeTables tables, Writer writer) {
        this.merger = merger;
        this.writer = writer;
        possible = !tables.unusedCanMerge();
    }

    /**
     * Merges and writes {@code text[from, to)}.
     *
     * @return whether it did: not if the chunk is short, or the windows do not fit together; then nothing was written
     */
    boolean merge(char[] text, int from, int to, TokenBuffer target) {
        if (!possible || to - from <= WINDOW) {
            return false;
        }
        target.mark();
        int at = from;
        int end = windowEnd(text, at, to);
        merger.merge(text, at, end);
        while (end < to) {
            int last = settledSymbols(end - at);
            if (last < 1) {
                target.reset();
                return false;
            }
            int[] starts = merger.starts();
            int length = starts[last + 1] - starts[last];
            int next = at + starts[last];
            writer.write(text, at, next, last, target);
            int nextEnd = windowEnd(text, next, to);
            if (nextEnd - next != end - at || !Arrays.equals(text, next, nextEnd, text, at, end)) {
                merger.merge(text, next, nextEnd);
            }
            at = next;
            end = nextEnd;
            int found = merger.count() > 1 ? merger.starts()[1] : end - at;
            if (found != length) {
                target.reset();
                return false;
            }
        }
        writer.write(text, at, to, merger.count(), target);
        return true;
    }

    private static int windowEnd(char[] text, int at, int to) {
        if (to - at <= WINDOW) {
            return to;
        }
        return at + WINDOW + (Character.isLowSurrogate(text[at + WINDOW]) ? 1 : 0);
    }

    /** {@return the index of the last symbol of the window that ends before the margin, or -1} */
    private int settledSymbols(int windowChars) {
        int[] starts = merger.starts();
        int symbol = merger.count() - 2;
        while (symbol >= 0 && starts[symbol + 1] > windowChars - MARGIN) {
            symbol--;
        }
        return symbol;
    }
}
