package dev.yangtuo.grammar;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/**
 * A set of Unicode code points. Immutable. Surrogates may be in it, as in the complement of a set; no text has them.
 *
 * @param ranges first and last code point of each range, inclusive, in their order; neither overlapping nor adjacent
 */
record CodePoints(List<Range> ranges) {
    static final int MAX = Character.MAX_CODE_POINT;
    static final CodePoints ALL = new CodePoints(List.of(new Range(0, MAX)));
    static final CodePoints NONE = new CodePoints(List.of());

    /** From first to last, inclusive. */
    record Range(int first, int last) {}

    static CodePoints of(int codePoint) {
        return range(codePoint, codePoint);
    }

    /** @param last inclusive, not before first */
    static CodePoints range(int first, int last) {
        return new CodePoints(List.of(new Range(first, last)));
    }

    /** The code points of a text. */
    static CodePoints of(String text) {
        return union(text.codePoints().mapToObj(each -> new Range(each, each)).toList());
    }

    /** @param parts in any order, overlapping or not */
    static CodePoints union(List<Range> parts) {
        List<Range> sorted = new ArrayList<>(parts);
        sorted.sort(Comparator.comparingInt(Range::first));
        List<Range> merged = new ArrayList<>();
        for (Range range : sorted) {
            if (!merged.isEmpty() && range.first() <= merged.getLast().last() + 1) {
                Range before = merged.removeLast();
                merged.add(new Range(before.first(), Math.max(before.last(), range.last())));
            } else {
                merged.add(range);
            }
        }
        return new CodePoints(List.copyOf(merged));
    }

    CodePoints or(CodePoints other) {
        List<Range> both = new ArrayList<>(ranges);
        both.addAll(other.ranges);
        return union(both);
    }

    /** All other code points. */
    CodePoints not() {
        List<Range> gaps = new ArrayList<>();
        int from = 0;
        for (Range range : ranges) {
            if (range.first() > from) {
                gaps.add(new Range(from, range.first() - 1));
            }
            from = range.last() + 1;
        }
        if (from <= MAX) {
            gaps.add(new Range(from, MAX));
        }
        return new CodePoints(List.copyOf(gaps));
    }

    CodePoints minus(CodePoints other) {
        return not().or(other).not();
    }

    boolean contains(int codePoint) {
        return ranges.stream().anyMatch(range -> range.first() <= codePoint && codePoint <= range.last());
    }

    boolean isEmpty() {
        return ranges.isEmpty();
    }

    /**
     * The characters of the set as sequences of ranges of bytes in UTF-8, each {@code {low, high}} of the first byte, of the second, and so on. A range of code
     * points is cut where the number of bytes changes, and where a range of a byte would not go with all values of the next.
     */
    List<int[][]> utf8() {
        List<int[][]> sequences = new ArrayList<>();
        for (Range range : minus(range(Character.MIN_SURROGATE, Character.MAX_SURROGATE)).ranges) {
            addUtf8(range.first(), range.last(), sequences);
        }
        return sequences;
    }

    private static void addUtf8(int first, int last, List<int[][]> sequences) {
        for (int limit : new int[] {0x7F, 0x7FF, 0xFFFF}) {
            if (first <= limit && limit < last) {
                addUtf8(first, limit, sequences);
                addUtf8(limit + 1, last, sequences);
                return;
            }
        }
        for (int bits = 6; last > 0x7F && bits < 24; bits += 6) {
            int mask = (1 << bits) - 1;
            if ((first & ~mask) == (last & ~mask)) {
                break;
            }
            if ((first & mask) != 0) {
                addUtf8(first, first | mask, sequences);
                addUtf8((first | mask) + 1, last, sequences);
                return;
            }
            if ((last & mask) != mask) {
                addUtf8(first, (last & ~mask) - 1, sequences);
                addUtf8(last & ~mask, last, sequences);
                return;
            }
        }
        byte[] low = Character.toString(first).getBytes(StandardCharsets.UTF_8);
        byte[] high = Character.toString(last).getBytes(StandardCharsets.UTF_8);
        int[][] sequence = new int[low.length][];
        Arrays.setAll(sequence, i -> new int[] {low[i] & 0xFF, high[i] & 0xFF});
        sequences.add(sequence);
    }
}
