package dev.yangtuo.tokenizer;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Byte pair encoding exactly as SentencePiece's bpe_model.cc does it, in time n log n.
 *
 * <p>The text begins as a row of symbols: user-defined pieces, which never change, and single characters. Of all adjacent pairs that
 * form a piece together, the one whose piece has the highest score is merged, the leftmost of equals, and so on until no pair forms a
 * piece. (Lookup is by the joined string: the two halves need not be pieces.) Pieces of type UNUSED take part, but are split again at
 * the end into the two symbols that they were merged from.
 *
 * <p>Two observations make it fast. Where no piece holds two characters side by side, no merge can ever reach across, so the text is cut
 * there first and the rest happens within chunks, most of them a few symbols long: the best pair of a short chunk is found by looking at
 * all, that of a long one by a heap of longs (rank, position). And scores matter only by their order, so they are replaced by ranks.
 *
 * <p>A heap entry is stale when the symbol at its position is gone or its pair has another rank by now. An entry that happens to have
 * the rank of the current pair is as good as the entry of that pair: the position is the same, so is the place in the order.
 */
final class BpeEncoder implements Encoder {
    /** Chunks up to this many symbols are merged by scanning; longer ones pay for a heap. */
    private static final int SCAN_LIMIT = 24;

    /** A symbol below zero is never merged: this one is a character that no piece holds, every other one is ~id of a piece. */
    private static final int UNKNOWN_CHARACTER = Integer.MIN_VALUE;

    private static final int NONE = -1;

    private final Vocabulary vocabulary;
    private final BpeTables tables;
    private final @Nullable UserDefinedMatcher userDefined;

    BpeEncoder(Vocabulary vocabulary, BpeTables tables, @Nullable UserDefinedMatcher userDefined) {
        this.vocabulary = vocabulary;
        this.tables = tables;
        this.userDefined = userDefined;
    }

    @Override
    public void encode(char[] text, int length, TokenBuffer target) {
        Chunk chunk = new Chunk(text, length, target);
        int position = 0;
        while (position < length) {
            position = chunk.fill(position);
            chunk.merge();
            chunk.emit(position);
        }
    }

    /** One chunk at a time of one text, and the arrays for it, used again for the next. */
    private final class Chunk {
        private final char[] text;
        private final int length;
        private final TokenBuffer target;

        private int count;
        /** The symbols, int32, [count]. */
        private int[] symbols = new int[SCAN_LIMIT];
        /** Where each begins in the text, int32, [count]. */
        private int[] starts = new int[SCAN_LIMIT];
        /** The piece that each symbol forms with the next one, or -1, int32, [count]. */
        private int[] merges = new int[SCAN_LIMIT];
        /** The symbols before and after each that are left, int32, [count]; for long chunks. */
        private int[] previous = {};
        private int[] next = {};
        /** Min-heap of (rank << 32 | index of the left symbol), [heapSize]. */
        private long[] heap = {};
        private int heapSize;
        /**
         * (left symbol + 1) << 32 | right symbol of the pair that was last found to form each unused piece, [pieces]. One table for the
         * whole text and by what was found, not merged: that is how the reference remembers them, so one place can decide another.
         */
        private long @Nullable [] halves;

        Chunk(char[] text, int length, TokenBuffer target) {
            this.text = text;
            this.length = length;
            this.target = target;
        }

        /** Reads symbols up to the next cut. {@return where the next chunk begins} */
        int fill(int from) {
            boolean cutting = !tables.unusedCanMerge();
            count = 0;
            int position = from;
            while (position < length) {
                int symbol;
                int end;
                int piece = userDefined == null ? NONE : userDefined.match(text, position, length);
                if (piece >= 0) {
                    symbol = ~piece;
                    end = position + vocabulary.piece(piece).length();
                } else {
                    int codePoint = text[position];
                    end = position + 1;
                    if (Character.isHighSurrogate((char) codePoint)) {
                        codePoint = Character.toCodePoint((char) codePoint, text[end++]);
                    }
                    int found = tables.symbol(codePoint);
                    symbol = found == BpeTables.NO_SYMBOL ? UNKNOWN_CHARACTER : found;
                }
                if (cutting && count > 0 && (symbol < 0 || symbols[count - 1] < 0 || !tables.canJoin(symbols[count - 1], symbol))) {
                    break;
                }
                append(symbol, position);
                position = end;
            }
            return position;
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

        void merge() {
            if (count > SCAN_LIMIT) {
                mergeByHeap();
            } else if (count > 1) {
                mergeByScan();
            }
        }

        /** {@return the piece that the symbols at two indices form, or -1} */
        private int pair(int left, int right) {
            int leftSymbol = symbols[left];
            int rightSymbol = symbols[right];
            if (leftSymbol < 0 || rightSymbol < 0) {
                return NONE;
            }
            int piece = tables.merged(leftSymbol, rightSymbol);
            if (piece >= 0 && tables.emitted(piece) == BpeTables.EMIT_HALVES) {
                if (halves == null) {
                    halves = new long[vocabulary.size()];
                }
                halves[piece] = (long) (leftSymbol + 1) << 32 | rightSymbol;
            }
            return piece;
        }

        private void mergeByScan() {
            for (int i = 0; i < count - 1; i++) {
                merges[i] = pair(i, i + 1);
            }
            while (true) {
                int best = NONE;
                int bestRank = Integer.MAX_VALUE;
                for (int i = 0; i < count - 1; i++) {
                    if (merges[i] >= 0 && tables.rank(merges[i]) < bestRank) {
                        best = i;
                        bestRank = tables.rank(merges[i]);
                    }
                }
                if (best == NONE) {
                    return;
                }
                symbols[best] = merges[best];
                int moved = --count - best - 1;
                System.arraycopy(symbols, best + 2, symbols, best + 1, moved);
                System.arraycopy(starts, best + 2, starts, best + 1, moved);
                System.arraycopy(merges, best + 2, merges, best + 1, moved);
                if (best > 0) {
                    merges[best - 1] = pair(best - 1, best);
                }
                if (moved > 0) {
                    merges[best] = pair(best, best + 1);
                }
            }
        }

        private void mergeByHeap() {
            linkSymbols();
            while (heapSize > 0) {
                long top = heap[0];
                removeTop();
                int left = (int) top;
                // merges[left] is -1 for a symbol that was merged into another.
                if (merges[left] < 0 || tables.rank(merges[left]) != (int) (top >>> 32)) {
                    continue;
                }
                int right = next[left];
                symbols[left] = merges[left];
                merges[right] = NONE;
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
                    merges[left] = NONE;
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
            if (heap.length < count) {
                heap = new long[symbols.length];
            }
            heapSize = 0;
            for (int i = 0; i < count; i++) {
                previous[i] = i - 1;
                next[i] = i + 1 < count ? i + 1 : NONE;
                merges[i] = NONE;
                if (i > 0) {
                    link(i - 1, i);
                }
            }
        }

        /** Notes what two adjacent symbols form, and puts it on the heap. */
        private void link(int left, int right) {
            int piece = pair(left, right);
            merges[left] = piece;
            if (piece >= 0) {
                add((long) tables.rank(piece) << 32 | left);
            }
        }

        private void add(long entry) {
            if (heapSize == heap.length) {
                heap = Arrays.copyOf(heap, Math.addExact(heapSize, heapSize));
            }
            int at = heapSize++;
            while (at > 0 && heap[(at - 1) >> 1] > entry) {
                heap[at] = heap[(at - 1) >> 1];
                at = (at - 1) >> 1;
            }
            heap[at] = entry;
        }

        private void removeTop() {
            long entry = heap[--heapSize];
            int at = 0;
            while (true) {
                int child = 2 * at + 1;
                if (child >= heapSize) {
                    break;
                }
                if (child + 1 < heapSize && heap[child + 1] < heap[child]) {
                    child++;
                }
                if (heap[child] >= entry) {
                    break;
                }
                heap[at] = heap[child];
                at = child;
            }
            heap[at] = entry;
        }

        /** Writes the symbols that are left; the last one ends at {@code end} in the text. */
        void emit(int end) {
            for (int i = 0; i < count; i++) {
                emit(symbols[i], starts[i], i + 1 < count ? starts[i + 1] : end);
            }
        }

        private void emit(int symbol, int start, int end) {
            if (symbol == UNKNOWN_CHARACTER) {
                target.addUnknown(text, start, end);
                return;
            }
            // A user-defined piece was matched whole, but is written by the same rule as any other.
            int id = tables.emitted(symbol < 0 ? ~symbol : symbol);
            if (id == BpeTables.EMIT_HALVES) {
                emitHalves(symbol, start, end);
            } else if (id == BpeTables.EMIT_UNKNOWN) {
                target.addUnknown(text, start, end);
            } else {
                target.add(id, end);
            }
        }

        /**
         * Splits an unused piece, its halves likewise. The depth is bounded by the length of a piece, so a stack of its own takes the
         * place of recursion.
         */
        private void emitHalves(int symbol, int start, int end) {
            int[] stack = new int[16];
            int depth = 0;
            stack[depth++] = symbol;
            int position = start;
            while (depth > 0) {
                int top = stack[--depth];
                boolean unused = tables.emitted(top) == BpeTables.EMIT_HALVES;
                long pair = unused && halves != null ? halves[top] : 0;
                if (pair != 0) {
                    if (depth + 2 > stack.length) {
                        stack = Arrays.copyOf(stack, 2 * stack.length);
                    }
                    stack[depth++] = (int) pair;
                    stack[depth++] = (int) (pair >>> 32) - 1;
                    continue;
                }
                int topEnd = depth == 0 ? end : position + symbolLength(top, position);
                if (unused) {
                    // A single character: nothing to split it into. The reference writes its id, too.
                    target.add(top, topEnd);
                } else {
                    emit(top, position, topEnd);
                }
                position = topEnd;
            }
        }

        private int symbolLength(int symbol, int position) {
            if (symbol < vocabulary.size()) {
                return vocabulary.piece(symbol).length();
            }
            return Character.isHighSurrogate(text[position]) ? 2 : 1;
        }
    }
}
