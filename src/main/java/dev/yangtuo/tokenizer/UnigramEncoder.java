package dev.yangtuo.tokenizer;

import java.util.Arrays;

/**
 * The most probable segmentation under a unigram language model, as SentencePiece's {@code unigram::Model::EncodeOptimized} finds it
 * (Kudo 2018, arXiv 1804.10959): for each position the best way to get there, from the left to the right; of equal ones the first that was found,
 * the one whose last piece begins earliest. A character without a piece of its own can also be passed over as unknown.
 *
 * <p>Where no piece reaches across a position, all ways lead through it: what is best up to there is written, and the search goes on from
 * there with the score so far. That score goes on being the float that it is in the reference, because rounding decides between nearly equal ways.
 */
final class UnigramEncoder implements Encoder {
    private static final int NONE = -1;
    private static final int KEPT = 1 << 12;

    private final UnigramTables tables;
    private final int unkId;

    UnigramEncoder(UnigramTables tables) {
        this.tables = tables;
        this.unkId = tables.model().vocabulary().unkId();
    }

    UnigramTables tables() {
        return tables;
    }

    @Override
    public Encoder.Worker newWorker() {
        return new Worker();
    }

    private final class Worker implements Encoder.Worker {
        /** Score of the best way to each position of the stretch, float32, [KEPT or more]; index 0 is its beginning. */
        private float[] best = new float[KEPT];
        /** Where the last piece of that way begins, relative to the stretch, int32; -1 where no way leads yet. */
        private int[] begins = new int[KEPT];
        /** That piece, int32. */
        private int[] pieces = new int[KEPT];
        /** Ends of the pieces of a stretch, the last one first. */
        private int[] path = new int[KEPT];
        /** Score of the text before the stretch. */
        private float score;

        Worker() {
            Arrays.fill(begins, NONE);
        }

        @Override
        public void begin() {
            score = 0;
        }

        @Override
        public int encode(char[] text, int from, int to, boolean last, TokenBuffer target) {
            int stretch = from;
            int position = from;
            int reach = from;
            best[0] = score;
            while (true) {
                if (position == reach && position > stretch) {
                    score = best[position - stretch];
                    write(text, stretch, position, target);
                    stretch = position;
                    best[0] = score;
                }
                if (position == to || !last && to - position < Math.max(2, tables.longest())) {
                    break;
                }
                reach = Math.max(reach, expand(text, stretch, position, to));
                position += Character.isHighSurrogate(text[position]) ? 2 : 1;
            }
            Arrays.fill(begins, 0, reach - stretch + 1, NONE);
            return stretch;
        }

        /** Tries all pieces that begin at a position. {@return the end of the longest} */
        private int expand(char[] text, int stretch, int position, int to) {
            int characterEnd = position + (Character.isHighSurrogate(text[position]) ? 2 : 1);
            makeRoom(Math.min(to, position + Math.max(2, tables.longest())) - stretch);
            float before = best[position - stretch];
            int reach = position;
            boolean characterIsPiece = false;
            int node = tables.root(text[position]);
            for (int end = position + 1; node >= 0; end++) {
                int piece = tables.piece(node);
                if (piece >= 0) {
                    // A sum of doubles, kept as a float.
                    double candidate = tables.score(piece) + before;
                    offer(end - stretch, candidate, position - stretch, piece);
                    characterIsPiece |= end == characterEnd;
                    reach = end;
                }
                node = end < to ? tables.child(node, text[end]) : NONE;
            }
            if (!characterIsPiece) {
                float candidate = tables.unknownScore() + before; // a sum of floats
                offer(characterEnd - stretch, candidate, position - stretch, unkId);
                reach = Math.max(reach, characterEnd);
            }
            return reach;
        }

        private void offer(int end, double candidate, int begin, int piece) {
            if (begins[end] == NONE || candidate > best[end]) {
                best[end] = (float) candidate;
                begins[end] = begin;
                pieces[end] = piece;
            }
        }

        private void makeRoom(int lastIndex) {
            if (lastIndex >= begins.length) {
                int old = begins.length;
                int larger = Math.max(lastIndex + 1, Math.addExact(old, old));
                best = Arrays.copyOf(best, larger);
                begins = Arrays.copyOf(begins, larger);
                pieces = Arrays.copyOf(pieces, larger);
                Arrays.fill(begins, old, larger, NONE);
            }
        }

        /** Writes the best way through a stretch, and forgets the stretch. */
        private void write(char[] text, int stretch, int end, TokenBuffer target) {
            int length = end - stretch;
            if (path.length < length) {
                path = new int[best.length];
            }
            int count = 0;
            for (int at = length; at > 0; at = begins[at]) {
                path[count++] = at;
            }
            int begin = 0;
            while (count > 0) {
                int at = path[--count];
                if (pieces[at] == unkId) {
                    target.addUnknown(text, stretch + begin, stretch + at);
                } else {
                    target.add(pieces[at], stretch + at);
                }
                begin = at;
            }
            Arrays.fill(begins, 0, length + 1, NONE);
        }

        @Override
        public void trim() {
            if (best.length > KEPT) {
                best = new float[KEPT];
                begins = new int[KEPT];
                pieces = new int[KEPT];
                path = new int[KEPT];
                Arrays.fill(begins, NONE);
            }
        }
    }
}
