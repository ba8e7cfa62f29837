package dev.yangtuo.tokenizer;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Byte-level byte pair encoding as GPT-2 began it. The text is cut at user-defined pieces, the longest first, and between them into words
 * ({@link PreTokenizer}); a word's UTF-8 becomes a row of symbols, one for each byte; of all adjacent pairs that a merge joins, the most
 * urgent one is joined, the leftmost of equals, until none is left.
 *
 * <p>Most words are a piece, and then nearly always become just that. Whether one does depends on nothing but the word, so the first
 * time decides ({@link ByteLevelTables#wholeness}), and afterwards a word costs one look-up. The rest is merged: a short word by looking
 * at all pairs for the best one, a long one by a heap of longs (rank, position), so that even a text of one word takes time n log n.
 *
 * <p>A heap entry is stale when the pair at its position has another rank by now; a pair has one rank, and a rank one pair.
 */
final class ByteLevelEncoder implements Encoder {
    /** Words up to this many bytes are merged by scanning; longer ones pay for a heap. */
    private static final int SCAN_LIMIT = 48;

    /** Arrays of this length are kept for the next text. */
    private static final int KEPT = 1 << 12;

    private static final int NONE = -1;

    private final Vocabulary vocabulary;
    private final ByteLevelTables tables;
    private final PreTokenizer preTokenizer;
    private final @Nullable PieceMatcher userDefined;

    ByteLevelEncoder(ByteLevelModel model, @Nullable PieceMatcher userDefined) {
        this.vocabulary = model.vocabulary();
        this.tables = new ByteLevelTables(model);
        this.preTokenizer = PreTokenizer.of(model.preTokenizer());
        this.userDefined = userDefined;
    }

    @Override
    public Encoder.Worker newWorker() {
        return new Worker();
    }

    /** One word at a time, and the arrays for it, used again for the next. A token that ends inside a character ends where that character begins. */
    private final class Worker implements Encoder.Worker {
        private int count;
        /** The bytes of the word, then the pieces that they became, int32, [count]; NO_PIECE for a byte without one. */
        private int[] symbols = new int[SCAN_LIMIT];
        /** Where in the text the character begins that the first byte of each belongs to, int32, [count]. */
        private int[] starts = new int[SCAN_LIMIT];
        /** Rank of the merge of each symbol with the next one, or NO_MERGE, int32, [count]. */
        private int[] ranks = new int[SCAN_LIMIT];
        /** The symbols before and after each that are left, int32, [count]; for long words. */
        private int[] previous = {};
        private int[] next = {};
        /** Entries (rank << 32 | index of the left symbol); for long words. */
        private final LongHeap heap = new LongHeap();

        @Override
        public void begin() {
            // Nothing is remembered of a text.
        }

        @Override
        public int encode(char[] text, int from, int to, boolean last, TokenBuffer target) {
            int at = from;
            while (at < to) {
                int next = userDefined == null ? to : userDefined.find(text, at, to, last);
                int piece = next == to || userDefined == null ? NONE : userDefined.match(text, next, to);
                boolean open = next < to && !last && userDefined != null && userDefined.isOpen(text, next, to);
                boolean ends = next == to ? last : !open;
                while (at < next) {
                    int end = preTokenizer.wordEnd(text, at, next, ends);
                    if (end == PreTokenizer.UNDECIDED) {
                        return at;
                    }
                    encodeWord(text, at, end, target);
                    at = end;
                }
                if (open) {
                    return at;
                }
                if (piece != NONE) {
                    at = next + vocabulary.piece(piece).length();
                    target.add(piece, at);
                }
            }
            return at;
        }

        @Override
        public void trim() {
            if (symbols.length > KEPT) {
                symbols = new int[SCAN_LIMIT];
                starts = new int[SCAN_LIMIT];
                ranks = new int[SCAN_LIMIT];
                previous = new int[0];
                next = new int[0];
            }
            heap.trim(KEPT);
        }

        private void encodeWord(char[] text, int from, int to, TokenBuffer target) {
            int piece = tables.word(text, from, to);
            byte wholeness = piece < 0 ? ByteLevelTables.IN_PARTS : tables.wholeness(piece);
            if (wholeness == ByteLevelTables.WHOLE) {
                target.add(piece, to);
                return;
            }
            readBytes(text, from, to);
            if (count > SCAN_LIMIT) {
                mergeByHeap();
            } else {
                mergeByScan();
            }
            if (wholeness == ByteLevelTables.UNKNOWN) {
                tables.learnWholeness(piece, count == 1 && symbols[0] == piece);
            }
            for (int i = 0; i < count; i++) {
                if (symbols[i] != ByteLevelTables.NO_PIECE) {
                    target.add(symbols[i], i + 1 < count ? starts[i + 1] : to);
                }
            }
        }

        /** Fills symbols with the pieces of the word's bytes, and ranks with what adjacent ones merge to. */
        private void readBytes(char[] text, int from, int to) {
            count = 0;
            for (int at = from; at < to; ) {
                int start = at;
                int c = text[at++];
                if (c < 0x80) {
                    append(c, start);
                } else if (c < 0x800) {
                    append(0xC0 | c >> 6, start);
                    append(0x80 | c & 0x3F, start);
                } else {
                    if (Character.isHighSurrogate((char) c)) {
                        int codePoint = Character.toCodePoint((char) c, text[at++]);
                        append(0xF0 | codePoint >> 18, start);
                        append(0x80 | codePoint >> 12 & 0x3F, start);
                        c = codePoint;
                    } else {
                        append(0xE0 | c >> 12, start);
                    }
                    append(0x80 | c >> 6 & 0x3F, start);
                    append(0x80 | c & 0x3F, start);
                }
            }
            for (int i = 0; i < count - 1; i++) {
                ranks[i] = tables.byteRank(symbols[i], symbols[i + 1]);
                symbols[i] = tables.byteId(symbols[i]);
            }
            ranks[count - 1] = ByteLevelTables.NO_MERGE;
            symbols[count - 1] = tables.byteId(symbols[count - 1]);
        }

        private void append(int value, int start) {
            if (count == symbols.length) {
                int larger = Math.addExact(count, count);
                symbols = Arrays.copyOf(symbols, larger);
                starts = Arrays.copyOf(starts, larger);
                ranks = new int[larger];
            }
            symbols[count] = value;
            starts[count++] = start;
        }

        private void mergeByScan() {
            while (true) {
                int best = NONE;
                int bestRank = Integer.MAX_VALUE;
                for (int i = 0; i < count - 1; i++) {
                    if (ranks[i] >= 0 && ranks[i] < bestRank) {
                        best = i;
                        bestRank = ranks[i];
                    }
                }
                if (best == NONE) {
                    return;
                }
                symbols[best] = tables.merged(bestRank);
                int moved = --count - best - 1;
                System.arraycopy(symbols, best + 2, symbols, best + 1, moved);
                System.arraycopy(starts, best + 2, starts, best + 1, moved);
                System.arraycopy(ranks, best + 2, ranks, best + 1, moved);
                if (best > 0) {
                    ranks[best - 1] = tables.rank(symbols[best - 1], symbols[best]);
                }
                if (moved > 0) {
                    ranks[best] = tables.rank(symbols[best], symbols[best + 1]);
                }
            }
        }

        private void mergeByHeap() {
            linkSymbols();
            while (!heap.isEmpty()) {
                long top = heap.removeLeast();
                int left = (int) top;
                int rank = (int) (top >>> 32);
                // NO_MERGE for a symbol that was merged into another.
                if (ranks[left] != rank) {
                    continue;
                }
                int right = next[left];
                symbols[left] = tables.merged(rank);
                ranks[right] = ByteLevelTables.NO_MERGE;
                next[left] = next[right];
                if (next[right] != NONE) {
                    previous[next[right]] = left;
                }
                if (previous[left] != NONE) {
                    link(previous[left], left);
                }
                if (next[left] != NONE) {
                    link(left, next[left]);
                } else {
                    ranks[left] = ByteLevelTables.NO_MERGE;
                }
            }
            int kept = 0;
            for (int i = 0; i != NONE; i = next[i]) {
                symbols[kept] = symbols[i];
                starts[kept++] = starts[i];
            }
            count = kept;
        }

        private void linkSymbols() {
            if (previous.length < count) {
                previous = new int[symbols.length];
                next = new int[symbols.length];
            }
            heap.clear();
            for (int i = 0; i < count; i++) {
                previous[i] = i - 1;
                next[i] = i + 1 < count ? i + 1 : NONE;
                if (ranks[i] >= 0) {
                    heap.add((long) ranks[i] << 32 | i);
                }
            }
        }

        /** Notes what two adjacent symbols merge to, and puts it on the heap. */
        private void link(int left, int right) {
            int rank = tables.rank(symbols[left], symbols[right]);
            ranks[left] = rank;
            if (rank >= 0) {
                heap.add((long) rank << 32 | left);
            }
        }
    }
}
