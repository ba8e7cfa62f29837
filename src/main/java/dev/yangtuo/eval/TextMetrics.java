package dev.yangtuo.eval;

import dev.yangtuo.exception.YangtuoException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * How alike two short texts are, character by character, as pCLUE's {@code evaluate_pclue.py} computes it. A character is a code point.
 */
public final class TextMetrics {
    /** Cells of a table of all pairs of characters: a second of work, 32 megabytes. */
    private static final long MAX_CELLS = 1L << 28;

    /** A sentence without characters counts as one word, an empty one. */
    private static final int[] EMPTY_WORD = {-1};

    private TextMetrics() {}

    /** In lower case, without white space at the ends, and one space for any white space between. White space is what Python calls so. */
    public static String normalize(String text) {
        StringBuilder out = new StringBuilder();
        boolean space = false;
        for (int codePoint : text.toLowerCase(Locale.ROOT).codePoints().toArray()) {
            if (isWhiteSpace(codePoint)) {
                space = !out.isEmpty();
                continue;
            }
            if (space) {
                out.append(' ');
                space = false;
            }
            out.appendCodePoint(codePoint);
        }
        return out.toString();
    }

    /** As {@code str.isspace}: bidirectional class WS, B or S, or category Zs. */
    private static boolean isWhiteSpace(int codePoint) {
        return Character.isSpaceChar(codePoint) || codePoint >= 0x09 && codePoint <= 0x0D || codePoint >= 0x1C && codePoint <= 0x1F || codePoint == 0x85;
    }

    /**
     * Twice the length of the longest common subsequence, divided by the lengths of both texts; 0 of two empty texts.
     *
     * @return 0 to 1
     * @throws YangtuoException if the texts are too long to be compared: the product of their lengths is more than 2^28
     */
    public static double f1(String one, String other) {
        int[] a = one.codePoints().toArray();
        int[] b = other.codePoints().toArray();
        return a.length + b.length == 0 ? 0 : 2.0 * commonLength(a, b) / (a.length + b.length);
    }

    /** Length of the longest common subsequence, which need not stand together. */
    private static int commonLength(int[] a, int[] b) {
        requireComparable(a.length, b.length);
        int[] row = new int[b.length + 1];
        for (int character : a) {
            int diagonal = 0;
            for (int j = 1; j <= b.length; j++) {
                int above = row[j];
                row[j] = character == b[j - 1] ? diagonal + 1 : Math.max(above, row[j - 1]);
                diagonal = above;
            }
        }
        return row[b.length];
    }

    private static void requireComparable(long a, long b) {
        if (a * b > MAX_CELLS) {
            throw new YangtuoException("texts of %d and %d characters are too long to be compared; shorten them".formatted(a, b));
        }
    }

    /**
     * F of ROUGE-L at the level of a summary, as version 1 of the Python package {@code rouge} computes it for texts whose characters are its words: sentences end at a full
     * stop (U+002E); the different characters in the union of the longest common subsequences of all pairs of sentences, against the different characters of either text.
     *
     * @return 0 to 1; 0 where one of the texts has no character but full stops, which the package refuses
     * @throws YangtuoException as {@link #f1}
     */
    public static double rougeL(String target, String prediction) {
        List<int[]> reference = sentences(target);
        List<int[]> written = sentences(prediction);
        if (reference.isEmpty() || written.isEmpty()) {
            return 0;
        }
        Set<Integer> common = new HashSet<>();
        for (int[] sentence : reference) {
            written.forEach(other -> addCommon(sentence, other, common));
        }
        double recall = (double) common.size() / different(reference);
        double precision = (double) common.size() / different(written);
        return 2.0 * (precision * recall / (precision + recall + 1e-8)); // the package's guard against a division by zero
    }

    /** The package sees a space before and behind every character, so that a sentence between two full stops is never empty, but the first and the last can be. */
    private static List<int[]> sentences(String text) {
        String[] parts = text.split("\\.", -1);
        List<int[]> sentences = new ArrayList<>();
        for (int i = 0; i < parts.length; i++) {
            boolean outer = i == 0 || i == parts.length - 1;
            if (!(outer && parts[i].isEmpty())) {
                int[] words = parts[i].codePoints().filter(codePoint -> !isWhiteSpace(codePoint)).toArray();
                sentences.add(words.length == 0 ? EMPTY_WORD : words);
            }
        }
        return sentences;
    }

    private static long different(List<int[]> sentences) {
        return sentences.stream().flatMapToInt(Arrays::stream).distinct().count();
    }

    /** Of several longest common subsequences it is the one that the package finds: from the end, and where two ways are as long, along the reference. */
    private static void addCommon(int[] reference, int[] written, Set<Integer> common) {
        BitSet up = longerWithoutReference(reference, written);
        int i = reference.length;
        int j = written.length;
        while (i > 0 && j > 0) {
            if (reference[i - 1] == written[j - 1]) {
                common.add(reference[i - 1]);
                i--;
                j--;
            } else if (up.get((i - 1) * written.length + j - 1)) {
                i--;
            } else {
                j--;
            }
        }
    }

    /** Bit (i - 1) * written + j - 1: whether leaving out character i of the reference leaves more in common than leaving out character j of what was written. */
    private static BitSet longerWithoutReference(int[] reference, int[] written) {
        requireComparable(reference.length, written.length);
        BitSet up = new BitSet(reference.length * written.length);
        int[] row = new int[written.length + 1];
        for (int i = 1; i <= reference.length; i++) {
            int diagonal = 0;
            for (int j = 1; j <= written.length; j++) {
                int above = row[j];
                if (above > row[j - 1]) {
                    up.set((i - 1) * written.length + j - 1);
                }
                row[j] = reference[i - 1] == written[j - 1] ? diagonal + 1 : Math.max(above, row[j - 1]);
                diagonal = above;
            }
        }
        return up;
    }
}
