package dev.yangtuo.tokenizer;

import dev.yangtuo.exception.TokenizerFormatException;
import java.util.Arrays;

/**
 * What the unigram encoder looks up, built once at load: a trie over the UTF-16 of the pieces that text can match, and what each piece
 * adds to the score of a segmentation.
 */
final class UnigramTables {
    static final int NO_NODE = -1;
    static final int NO_PIECE = -1;

    /** SentencePiece's kUnkPenalty. */
    private static final float UNKNOWN_PENALTY = 10;

    /** What a user-defined piece lacks to as many of the best pieces as it has bytes (or characters). */
    private static final double USER_DEFINED_MALUS = 0.1;

    /** Longest piece, in chars: each position of a text may cost as many steps. Trainers stop at 16. */
    private static final int MAX_PIECE_CHARS = 1024;

    /** Bounds what a prepared file can cost; the largest known model (256,000 pieces) needs 800,000. */
    private static final int MAX_NODES = 1 << 22;

    private final SentencePieceModel model;
    /** (node << 16 | char) to child node, below the first level. */
    private final LongIntMap children;
    /** Node of each first char, plus 1, int32, [65536]. */
    private final int[] roots = new int[1 << Character.SIZE];
    /** Piece that ends at each node, or -1, int32, [nodes]; an unused piece counts as none. */
    private int[] pieces = new int[1024];
    private int nodes;
    private int longest;
    /** Score of each piece in {@link UnigramEncoder}, float64, [pieces]. */
    private final double[] scores;
    private final float maxScore;
    private final float unknownScore;

    private UnigramTables(SentencePieceModel model) {
        this.model = model;
        Vocabulary vocabulary = model.vocabulary();
        children = new LongIntMap(2 * vocabulary.size());
        // As the reference has it: the least positive float where no normal piece scores more.
        float max = Float.MIN_NORMAL;
        float min = Float.MAX_VALUE;
        for (int id = 0; id < vocabulary.size(); id++) {
            if (vocabulary.type(id) == PieceType.NORMAL) {
                max = Math.max(max, vocabulary.score(id));
                min = Math.min(min, vocabulary.score(id));
            }
        }
        maxScore = max;
        unknownScore = min - UNKNOWN_PENALTY;
        scores = new double[vocabulary.size()];
        for (int id = 0; id < vocabulary.size(); id++) {
            if (!vocabulary.type(id).isReserved()) {
                add(id);
            }
        }
    }

    static UnigramTables of(SentencePieceModel model) {
        return new UnigramTables(model);
    }

    private void add(int id) {
        Vocabulary vocabulary = model.vocabulary();
        String piece = vocabulary.piece(id);
        if (piece.length() > MAX_PIECE_CHARS) {
            throw new TokenizerFormatException(model.source(), "piece %d has %d characters, more than the %d that are supported in a unigram model"
                    .formatted(id, piece.length(), MAX_PIECE_CHARS));
        }
        int node = NO_NODE;
        for (int i = 0; i < piece.length(); i++) {
            char c = piece.charAt(i);
            int child = i == 0 ? root(c) : child(node, c);
            if (child < 0) {
                child = newNode();
                if (i == 0) {
                    roots[c] = child + 1;
                } else {
                    children.put((long) node << Character.SIZE | c, child);
                }
            }
            node = child;
        }
        pieces[node] = vocabulary.type(id) == PieceType.UNUSED ? NO_PIECE : id;
        longest = Math.max(longest, piece.length());
        scores[id] = vocabulary.type(id) == PieceType.USER_DEFINED
                ? userDefinedScore(Utf8.length(piece)) : vocabulary.score(id);
    }

    private int newNode() {
        if (nodes == MAX_NODES) {
            throw new TokenizerFormatException(model.source(), "the pieces differ in more than %d characters, which no real vocabulary does"
                    .formatted(MAX_NODES));
        }
        if (nodes == pieces.length) {
            pieces = Arrays.copyOf(pieces, 2 * nodes);
        }
        pieces[nodes] = NO_PIECE;
        return nodes++;
    }

    /** {@return the score of a user-defined piece of that length} The product is a float, as in the reference. */
    private double userDefinedScore(int length) {
        return length * maxScore - USER_DEFINED_MALUS;
    }

    SentencePieceModel model() {
        return model;
    }

    /** {@return the node of a first char, or -1} */
    int root(char c) {
        return roots[c] - 1;
    }

    /** {@return the node below another, or -1} */
    int child(int node, char c) {
        return children.get((long) node << Character.SIZE | c);
    }

    /** {@return the piece that ends at a node, or -1} */
    int piece(int node) {
        return pieces[node];
    }

    /** {@return what a piece adds to the score of a segmentation; user-defined ones by their length in bytes} */
    double score(int piece) {
        return scores[piece];
    }

    /** {@return the same for the lattice, where the reference counts the length of user-defined pieces in characters} */
    float latticeScore(int piece, int characters) {
        return model.vocabulary().type(piece) == PieceType.USER_DEFINED
                ? (float) userDefinedScore(characters) : model.vocabulary().score(piece);
    }

    /** {@return what a character without a piece adds to the score} */
    float unknownScore() {
        return unknownScore;
    }

    /** {@return length of the longest piece in chars} */
    int longest() {
        return longest;
    }
}
