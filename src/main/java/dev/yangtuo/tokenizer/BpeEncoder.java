package dev.yangtuo.tokenizer;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Byte pair encoding exactly as SentencePiece's bpe_model.cc does it.
 *
 * <p>The text begins as a row of symbols: user-defined pieces, which never change, and single characters. Of all adjacent pairs that
 * form a piece together, the one whose piece has the highest score is merged, the leftmost of equals, and so on until no pair forms a
 * piece. (Lookup is by the joined string: the two halves need not be pieces.) Pieces of type UNUSED take part, but are split again at
 * the end into the two symbols that they were merged from.
 *
 * <p>Three observations make it fast. Where no piece holds two characters side by side, no merge can ever reach across, so the text is cut
 * there first and the rest happens within chunks, most of them a few symbols long. A chunk has the same ids wherever it stands, so those of short
 * ones are remembered. And scores matter only by their order, so they are replaced by ranks; {@link BpeMerger} does the merging, and
 * {@link BpeWindows} takes a long chunk apart.
 */
final class BpeEncoder implements Encoder {
    private static final int NONE = -1;

    private final Vocabulary vocabulary;
    private final BpeTables tables;
    private final @Nullable PieceMatcher userDefined;

    BpeEncoder(SentencePieceModel model, BpeTables tables, @Nullable PieceMatcher userDefined) {
        this.vocabulary = model.vocabulary();
        this.tables = tables;
        this.userDefined = userDefined;
    }

    BpeTables tables() {
        return tables;
    }

    @Override
    public Encoder.Worker newWorker() {
        return new Worker();
    }

    private final class Worker implements Encoder.Worker, BpeWindows.Writer {
        private final BpeMerger merger = new BpeMerger(vocabulary, tables, userDefined);
        private final BpeWindows windows = new BpeWindows(merger, tables, this);
        private final ChunkCache cache = new ChunkCache();
        /** Hash of the chunk that {@link #chunkEnd} found. */
        private int hash;
        private int[] splitStack = new int[16];

        @Override
        public void begin() {
            merger.begin();
        }

        @Override
        public void trim() {
            merger.trim();
        }

        @Override
        public int encode(char[] text, int from, int to, boolean last, TokenBuffer target) {
            if (tables.unusedCanMerge()) {
                // How an unused piece is split again depends on the whole text: it is one chunk.
                if (last && from < to) {
                    merge(text, from, to, target);
                }
                return last ? to : from;
            }
            boolean caching = !target.hasOffsets();
            int position = from;
            while (position < to) {
                int end = userDefined == null ? chunkEnd(text, position, to) : chunkEndBeforeUserDefined(text, position, to, last);
                if (end == to && !last || end == NONE) {
                    break; // what follows may belong to the chunk
                }
                int length = end - position;
                if (length == 1) {
                    single(text, position, target);
                } else if (!caching || length > ChunkCache.MAX_CHARS) {
                    merge(text, position, end, target);
                } else {
                    int mixed = hash * 0x9E3779B1;
                    if (!cache.find(text, position, length, mixed, target)) {
                        int firstToken = target.size();
                        boolean known = merge(text, position, end, target);
                        if (known || target.byteFallback()) {
                            cache.put(text, position, length, mixed, target, firstToken);
                        }
                    }
                }
                position = end;
            }
            return position;
        }

        /** {@return where the chunk that begins at {@code from} ends: at the next cut, or at {@code to}} */
        private int chunkEnd(char[] text, int from, int to) {
            char previous = text[from];
            int h = previous;
            int i = from + 1;
            while (i < to) {
                char c = text[i];
                if (!tables.mayJoin(previous, c) && !Character.isLowSurrogate(c)) {
                    break;
                }
                h = 31 * h + c;
                previous = c;
                i++;
            }
            hash = h;
            return i;
        }

        /** As {@link #chunkEnd}, but a user-defined piece is a chunk of its own. {@return -1 if more text is needed to know} */
        private int chunkEndBeforeUserDefined(char[] text, int from, int to, boolean last) {
            int h = 0;
            int i = from;
            while (i < to) {
                char c = text[i];
                if (i > from && !tables.mayJoin(text[i - 1], c) && !Character.isLowSurrogate(c)) {
                    break;
                }
                if (userDefined.mayBegin(c)) {
                    int piece = userDefined.match(text, i, to);
                    if (!last && to - i < userDefined.longest()) {
                        return NONE;
                    }
                    if (piece >= 0) {
                        hash = h;
                        return i > from ? i : i + userDefined.length(piece);
                    }
                }
                h = 31 * h + c;
                i++;
            }
            hash = h;
            return i;
        }

        private void single(char[] text, int position, TokenBuffer target) {
            int symbol = tables.symbol(text[position]);
            emit(text, symbol, position, position + 1, target);
        }

        /** Merges and writes a chunk. {@return whether all of a chunk that can be remembered are pieces} */
        private boolean merge(char[] text, int from, int to, TokenBuffer target) {
            if (windows.merge(text, from, to, target)) {
                return true; // too long to be remembered: nobody asks
            }
            merger.merge(text, from, to);
            return write(text, from, to, merger.count(), target);
        }

        @Override
        public boolean write(char[] text, int from, int to, int count, TokenBuffer target) {
            int[] symbols = merger.symbols();
            int[] starts = merger.starts();
            boolean known = true;
            for (int i = 0; i < count; i++) {
                int end = i + 1 < count ? from + starts[i + 1] : to;
                known &= emit(text, symbols[i], from + starts[i], end, target);
            }
            return known;
        }

        /** Writes a symbol. {@return whether it is written as a piece} */
        private boolean emit(char[] text, int symbol, int start, int end, TokenBuffer target) {
            if (symbol == BpeMerger.UNKNOWN_CHARACTER || symbol == BpeTables.NO_SYMBOL) {
                target.addUnknown(text, start, end);
                return false;
            }
            // A user-defined piece was matched whole, but is written by the same rule as any other.
            int id = tables.emitted(symbol < 0 ? ~symbol : symbol);
            if (id >= 0) {
                target.add(id, end);
                return true;
            }
            if (id == BpeTables.EMIT_HALVES) {
                emitHalves(text, symbol, start, end, target);
            } else {
                target.addUnknown(text, start, end);
            }
            return false;
        }

        /**
         * Splits an unused piece, its halves likewise. The depth is bounded by the length of a piece, so a stack of its own takes the
         * place of recursion.
         */
        private void emitHalves(char[] text, int symbol, int start, int end, TokenBuffer target) {
            int depth = 0;
            splitStack[depth++] = symbol;
            int position = start;
            while (depth > 0) {
                int top = splitStack[--depth];
                boolean unused = tables.emitted(top) == BpeTables.EMIT_HALVES;
                long pair = unused ? merger.halves(top) : 0;
                if (pair != 0) {
                    if (depth + 2 > splitStack.length) {
                        splitStack = Arrays.copyOf(splitStack, 2 * splitStack.length);
                    }
                    splitStack[depth++] = (int) pair;
                    splitStack[depth++] = (int) (pair >>> 32) - 1;
                    continue;
                }
                int topEnd = depth == 0 ? end : position + symbolLength(text, top, position);
                if (unused) {
                    // A single character: nothing to split it into. The reference writes its id, too.
                    target.add(top, topEnd);
                } else {
                    emit(text, top, position, topEnd, target);
                }
                position = topEnd;
            }
        }

        private int symbolLength(char[] text, int symbol, int position) {
            if (symbol < vocabulary.size()) {
                return vocabulary.piece(symbol).length();
            }
            return Character.isHighSurrogate(text[position]) ? 2 : 1;
        }
    }
}
