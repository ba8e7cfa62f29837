package dev.yangtuo.tokenizer;

import dev.yangtuo.exception.TokenizerFormatException;
import java.nio.file.Path;
import java.util.List;

/**
 * The pairs of pieces that a byte-level tokenizer joins, the most urgent first. Checked: both and what they form are ordinary pieces.
 * Immutable and thread-safe.
 */
public final class Merges {
    /** Four times as many as the largest known vocabularies have; bounds what a prepared file can cost. */
    public static final int MAX_MERGES = 1 << 21;

    private final int[] left;
    private final int[] right;
    private final int[] merged;

    private Merges(int size) {
        left = new int[size];
        right = new int[size];
        merged = new int[size];
    }

    /**
     * Reads merges as {@code merges.txt} and GGUF's {@code tokenizer.ggml.merges} write them.
     *
     * @param source the file that they come from; error messages begin with it
     * @param vocabulary the pieces that they join
     * @param lines two pieces with one space between, the most urgent merge first
     * @return the merges
     * @throws TokenizerFormatException if a line is not that, or a piece does not exist or is not an ordinary one; the message names the
     *     line's index
     */
    public static Merges parse(Path source, Vocabulary vocabulary, List<String> lines) {
        if (lines.size() > MAX_MERGES) {
            throw new TokenizerFormatException(source, "%d merges are more than the %d that are supported".formatted(
                    lines.size(), MAX_MERGES));
        }
        Merges merges = new Merges(lines.size());
        for (int rank = 0; rank < lines.size(); rank++) {
            String line = lines.get(rank);
            int space = line.indexOf(' ');
            if (space < 1 || space == line.length() - 1 || line.indexOf(' ', space + 1) >= 0) {
                throw new TokenizerFormatException(source, "merge %d is %s, expected two pieces with one space between".formatted(
                        rank, Vocabulary.shown(line)));
            }
            String first = line.substring(0, space);
            String second = line.substring(space + 1);
            merges.left[rank] = piece(source, vocabulary, rank, line, first);
            merges.right[rank] = piece(source, vocabulary, rank, line, second);
            merges.merged[rank] = piece(source, vocabulary, rank, line, first + second);
        }
        return merges;
    }

    private static int piece(Path source, Vocabulary vocabulary, int rank, String line, String piece) {
        int ordinary = vocabulary.matchable().id(piece);
        int id = ordinary >= 0 ? ordinary : vocabulary.reservedId(piece);
        if (id < 0) {
            throw new TokenizerFormatException(source, "merge %d is %s, but there is no piece %s".formatted(
                    rank, Vocabulary.shown(line), Vocabulary.shown(piece)));
        }
        // A control piece that merges lead to would come out of plain text.
        if (vocabulary.type(id) != PieceType.NORMAL) {
            throw new TokenizerFormatException(source, "merge %d is %s, but piece %d, %s, is of type %s; expected NORMAL".formatted(
                    rank, Vocabulary.shown(line), id, Vocabulary.shown(piece), vocabulary.type(id)));
        }
        return id;
    }

    /** {@return the number of merges} */
    public int size() {
        return left.length;
    }

    /**
     * {@return the id of the left piece of a merge}
     *
     * @param rank from 0 to {@code size() - 1}
     */
    public int left(int rank) {
        return left[rank];
    }

    /**
     * {@return the id of the right piece of a merge}
     *
     * @param rank from 0 to {@code size() - 1}
     */
    public int right(int rank) {
        return right[rank];
    }

    /**
     * {@return the id of the piece that a merge forms}
     *
     * @param rank from 0 to {@code size() - 1}
     */
    public int merged(int rank) {
        return merged[rank];
    }
}
