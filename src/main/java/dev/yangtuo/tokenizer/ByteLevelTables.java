package dev.yangtuo.tokenizer;

import java.util.Arrays;

/** What the byte-level encoder looks up, built once at load. Immutable but for {@link #wholeness}, thread-safe. */
final class ByteLevelTables {
    static final int NO_PIECE = -1;
    static final int NO_MERGE = -1;

    /** In {@link #wholeness}: not known yet. */
    static final byte UNKNOWN = 0;
    /** In {@link #wholeness}: a word that is the piece becomes the piece. */
    static final byte WHOLE = 1;
    /** In {@link #wholeness}: the merges make several pieces of it. */
    static final byte IN_PARTS = 2;

    private final Merges merges;
    private final WordIndex words;
    /** Id of the piece of each byte or NO_PIECE, int32, [256]. */
    private final int[] byteIds = new int[256];
    /** Rank of the merge of two bytes or NO_MERGE, int32, [256][256]. */
    private final int[] byteRanks = new int[256 * 256];
    /** Ranks of merges, below {@link Merges#MAX_MERGES}. */
    private final PairTable ranks;
    /**
     * What becomes of a word that is a piece, int8, [pieces]; found out when one first occurs. Threads that race to write an element
     * write the same value, since the merges of a word depend on nothing else.
     */
    private final byte[] wholeness;

    ByteLevelTables(ByteLevelModel model) {
        Vocabulary vocabulary = model.vocabulary();
        merges = model.merges();
        words = new WordIndex(vocabulary);
        wholeness = new byte[vocabulary.size()];
        if (model.preTokenizer().takesWholePieces()) {
            Arrays.fill(wholeness, WHOLE);
        }
        for (int value = 0; value < 256; value++) {
            int id = vocabulary.matchable().id(String.valueOf(ByteAlphabet.charOf(value)));
            byteIds[value] = id >= 0 && vocabulary.type(id) == PieceType.NORMAL ? id : NO_PIECE;
        }
        ranks = new PairTable(merges.size());
        for (int rank = 0; rank < merges.size(); rank++) {
            // Of two merges of the same pair the first one counts.
            if (ranks.get(merges.left(rank), merges.right(rank)) < 0) {
                ranks.add(merges.left(rank), merges.right(rank), rank);
            }
        }
        for (int left = 0; left < 256; left++) {
            for (int right = 0; right < 256; right++) {
                byteRanks[left << 8 | right] = rank(byteIds[left], byteIds[right]);
            }
        }
    }

    /** {@return the piece that a word is, or -1} */
    int word(char[] text, int from, int to) {
        return words.find(text, from, to);
    }

    byte wholeness(int piece) {
        return wholeness[piece];
    }

    void learnWholeness(int piece, boolean whole) {
        wholeness[piece] = whole ? WHOLE : IN_PARTS;
    }

    int byteId(int value) {
        return byteIds[value];
    }

    int byteRank(int left, int right) {
        return byteRanks[left << 8 | right];
    }

    /** {@return the rank of the merge of two pieces, 0 first, or NO_MERGE} Either may be NO_PIECE. */
    int rank(int left, int right) {
        return left < 0 || right < 0 ? NO_MERGE : ranks.get(left, right);
    }

    int merged(int rank) {
        return merges.merged(rank);
    }
}
