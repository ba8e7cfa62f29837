package dev.yangtuo.tokenizer;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Merges the symbols of one chunk after the other; see {@link BpeEncoder} for the rule. Used by one thread.
 *
 * <p>The best pair of a short chunk is found by looking at all. A long one is swept rank by rank: pairs wait in a list for each rank, and the
 * list of the best rank is opened, sorted by position and worked through from left to right. What a merge brings about lies at or to the left of it; if
 * it is of the open rank or a better one, it comes before all that is left of the open list, and waits in a small heap in front of it; else it
 * joins the list of its rank. So most pairs are touched in the order of the text, and the time is n log n at worst and linear in practice. In chunks
 * between the two everything waits in the heap.
 *
 * <p>What waits may be stale: its symbol is gone, or its pair has another rank by now. An entry that happens to have
 * the rank of the current pair is as good as the entry of that pair: the position is the same, so is the place in the order.
 */
final class BpeMerger {
    /** A symbol below zero is never merged: this one is a character that no piece holds, every other one is ~id of a piece. */
    static final int UNKNOWN_CHARACTER = Integer.MIN_VALUE;

    /** Chunks up to this many symbols are merged by scanning. */
    static final int SCAN_LIMIT = 16;

    /** Chunks up to this many symbols let everything wait in the heap; longer ones pay for the lists. */
    private static final int HEAP_LIMIT = 1024;

    /** Arrays of this length are kept for the next text. */
    private static final int KEPT = 1 << 12;

    private static final int NONE = -1;

    private final Vocabulary vocabulary;
    private final BpeTables tables;
    private final @Nullable PieceMatcher userDefined;

    private int count;
    /** The symbols, int32, [count]. */
    private int[] symbols = new int[SCAN_LIMIT];
    /** Where each begins, counted from the beginning of the chunk, int32, [count]. */
    private int[] starts = new int[SCAN_LIMIT];
    /** The piece that each symbol forms with the next one, or -1, int32, [count]. */
    private int[] merges = new int[SCAN_LIMIT];
    /** Ranks of those pieces, of short chunks; int32, [count]. */
    private final int[] scanRanks = new int[SCAN_LIMIT];

    /** The symbols before and after each that are left, int32, [count]; for long chunks. */
    private int[] previous = {};
    private int[] next = {};
    /** Pairs that wait: position, next entry of the same list as index + 1; int32, [entries]. */
    private int[] waitingAt = {};
    private int[] waitingNext = {};
    private int waitingCount;
    /** First entry that is free again, as index + 1. */
    private int freeEntry;
    /** First and last entry of the list of each rank, as index + 1, 0 where it is empty; int32, [ranks]. */
    private int[] firstWaiting = {};
    private int[] lastWaiting = {};
    /** Min-heap of the ranks whose lists are not empty. */
    private final LongHeap ranks = new LongHeap();
    /** Positions of the open list, int32, [openCount], [openNext, openCount) of them not looked at yet. */
    private int[] open = {};
    private int openNext;
    private int openCount;
    private int openRank;
    /** Min-heap of (rank << 32 | position) that come before what is left of the open list. */
    private final LongHeap front = new LongHeap();

    /**
     * (left symbol + 1) << 32 | right symbol of the pair that was last found to form each unused piece, [pieces]. One table for the
     * whole text and by what was found, not merged: that is how the reference remembers them, so one place can decide another.
     */
    private long @Nullable [] halves;

    BpeMerger(Vocabulary vocabulary, BpeTables tables, @Nullable PieceMatcher userDefined) {
        this.vocabulary = vocabulary;
        this.tables = tables;
        this.userDefined = userDefined;
    }

    /** A new text begins. */
    void begin() {
        if (halves != null) {
            Arrays.fill(halves, 0);
        }
    }

    /** Merges the symbols of {@code text[from, to)}. */
    void merge(char[] text, int from, int to) {
        split(text, from, to);
        if (count > SCAN_LIMIT) {
            sweep();
        } else if (count > 1) {
            scan();
        }
    }

    private void split(char[] text, int from, int to) {
        count = 0;
        int position = from;
        while (position < to) {
            char c = text[position];
            int start = position - from;
            int piece = userDefined != null && userDefined.mayBegin(c) ? userDefined.match(text, position, to) : NONE;
            if (piece >= 0) {
                append(~piece, start);
                position += userDefined.length(piece);
            } else {
                position++;
                int symbol = tables.symbol(Character.isHighSurrogate(c) ? Character.toCodePoint(c, text[position++]) : c);
                append(symbol == BpeTables.NO_SYMBOL ? UNKNOWN_CHARACTER : symbol, start);
            }
        }
    }

    private void append(int symbol, int start) {
        if (count == symbols.length) {
            int larger = Math.addExact(count, count);
            symbols = Arrays.copyOf(symbols, larger);
            starts = Arrays.copyOf(starts, larger);
            merges = new int[larger];
        }
        symbols[count] = symbol;
        starts[count++] = start;
    }

    /** {@return how many symbols are left} */
    int count() {
        return count;
    }

    /** {@return the symbols, int32, [count]} */
    int[] symbols() {
        return symbols;
    }

    /** {@return where each symbol begins, counted from the beginning of the chunk, int32, [count]; it ends where the next one begins} */
    int[] starts() {
        return starts;
    }

    /** {@return (left symbol + 1) << 32 | right symbol that an unused piece was formed of, or 0 if it never was} */
    long halves(int piece) {
        return halves == null ? 0 : halves[piece];
    }

    /** {@return the piece that the symbols at two indices form, or -1} */
    private int pair(int left, int right) {
        int leftSymbol = symbols[left];
        int rightSymbol = symbols[right];
        if ((leftSymbol | rightSymbol) < 0) {
            return NONE;
        }
        int piece = tables.merged(leftSymbol, rightSymbol);
        if (piece >= 0 && tables.unusedCanMerge() && tables.emitted(piece) == BpeTables.EMIT_HALVES) {
            if (halves == null) {
                halves = new long[vocabulary.size()];
            }
            halves[piece] = (long) (leftSymbol + 1) << 32 | rightSymbol;
        }
        return piece;
    }

    private void scan() {
        for (int i = 0; i < count - 1; i++) {
            scanPair(i);
        }
        while (true) {
            int best = NONE;
            int bestRank = Integer.MAX_VALUE;
            for (int i = 0; i < count - 1; i++) {
                if (scanRanks[i] < bestRank) {
                    best = i;
                    bestRank = scanRanks[i];
                }
            }
            if (best == NONE) {
                return;
            }
            symbols[best] = merges[best];
            count--;
            for (int i = best + 1; i < count; i++) {
                symbols[i] = symbols[i + 1];
                starts[i] = starts[i + 1];
                merges[i] = merges[i + 1];
                scanRanks[i] = scanRanks[i + 1];
            }
            if (best > 0) {
                scanPair(best - 1);
            }
            if (best < count - 1) {
                scanPair(best);
            }
        }
    }

    private void scanPair(int left) {
        int piece = pair(left, left + 1);
        merges[left] = piece;
        scanRanks[left] = piece < 0 ? Integer.MAX_VALUE : tables.rank(piece);
    }

    private void sweep() {
        startSweep();
        while (true) {
            int left;
            int rank;
            if (!front.isEmpty()) {
                long top = front.removeLeast();
                left = (int) top;
                rank = (int) (top >>> 32);
            } else if (openNext < openCount) {
                left = open[openNext++];
                rank = openRank;
            } else if (!ranks.isEmpty()) {
                openList((int) ranks.removeLeast());
                continue;
            } else {
                break;
            }
            // merges[left] is -1 for a symbol that was merged into another.
            if (merges[left] >= 0 && tables.rank(merges[left]) == rank) {
                mergeAt(left);
            }
        }
        int kept = 0;
        for (int i = 0; i != NONE; i = next[i]) {
            symbols[kept] = symbols[i];
            starts[kept++] = starts[i];
        }
        count = kept;
    }

    private void startSweep() {
        if (previous.length < count) {
            previous = new int[symbols.length];
            next = new int[symbols.length];
        }
        openNext = 0;
        openCount = 0;
        if (count > HEAP_LIMIT) {
            openRank = NONE;
            waitingCount = 0;
            freeEntry = 0;
            if (firstWaiting.length < tables.rankCount()) {
                firstWaiting = new int[tables.rankCount()];
                lastWaiting = new int[tables.rankCount()];
            }
        } else {
            openRank = Integer.MAX_VALUE; // no list is opened: every rank comes before it
        }
        for (int i = 0; i < count; i++) {
            previous[i] = i - 1;
            next[i] = i + 1 < count ? i + 1 : NONE;
            merges[i] = NONE;
            if (i > 0) {
                link(i - 1, i);
            }
        }
    }

    private void mergeAt(int left) {
        int right = next[left];
        symbols[left] = merges[left];
        merges[right] = NONE;
        int after = next[right];
        next[left] = after;
        if (after != NONE) {
            previous[after] = left;
        }
        if (previous[left] != NONE) {
            link(previous[left], left);
        }
        if (after != NONE) {
            link(left, after);
        } else {
            merges[left] = NONE;
        }
    }

    /** Notes what two adjacent symbols form, and lets it wait. */
    private void link(int left, int right) {
        int piece = pair(left, right);
        merges[left] = piece;
        if (piece >= 0) {
            int rank = tables.rank(piece);
            if (rank <= openRank) {
                front.add((long) rank << 32 | left);
            } else {
                wait(rank, left);
            }
        }
    }

    private void wait(int rank, int position) {
        int entry = freeEntry;
        if (entry != 0) {
            freeEntry = waitingNext[entry - 1];
        } else {
            if (waitingCount == waitingAt.length) {
                int larger = Math.max(KEPT, Math.addExact(waitingCount, waitingCount >> 1));
                waitingAt = Arrays.copyOf(waitingAt, larger);
                waitingNext = Arrays.copyOf(waitingNext, larger);
            }
            entry = ++waitingCount;
        }
        waitingAt[entry - 1] = position;
        waitingNext[entry - 1] = 0;
        if (firstWaiting[rank] == 0) {
            firstWaiting[rank] = entry;
            ranks.add(rank);
        } else {
            waitingNext[lastWaiting[rank] - 1] = entry;
        }
        lastWaiting[rank] = entry;
    }

    /** Moves the list of a rank to {@link #open}, in the order of the text. */
    private void openList(int rank) {
        openRank = rank;
        openNext = 0;
        openCount = 0;
        boolean sorted = true;
        for (int entry = firstWaiting[rank]; entry != 0; entry = waitingNext[entry - 1]) {
            if (openCount == open.length) {
                open = Arrays.copyOf(open, Math.max(KEPT, Math.addExact(openCount, openCount)));
            }
            int position = waitingAt[entry - 1];
            sorted &= openCount == 0 || open[openCount - 1] < position;
            open[openCount++] = position;
        }
        waitingNext[lastWaiting[rank] - 1] = freeEntry;
        freeEntry = firstWaiting[rank];
        firstWaiting[rank] = 0;
        if (!sorted) {
            Arrays.sort(open, 0, openCount);
        }
    }

    /** Drops what a long chunk made large. */
    void trim() {
        if (symbols.length > KEPT) {
            symbols = new int[SCAN_LIMIT];
            starts = new int[SCAN_LIMIT];
            merges = new int[SCAN_LIMIT];
            previous = new int[0];
            next = new int[0];
        }
        if (waitingAt.length > 0) {
            waitingAt = new int[0];
            waitingNext = new int[0];
            firstWaiting = new int[0];
            lastWaiting = new int[0];
        }
        if (open.length > KEPT) {
            open = new int[0];
        }
        front.trim(KEPT);
        ranks.trim(KEPT);
    }
}
