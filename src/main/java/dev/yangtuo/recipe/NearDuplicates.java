package dev.yangtuo.recipe;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Texts that are unlike each other by ROUGE-L (C.-Y. Lin, ROUGE: A Package for Automatic Evaluation of Summaries, 2004), its F-measure: twice the
 * longest common subsequence, divided by the lengths of both texts together, in {@link TextUnits}. The answer is exact, but only few texts are ever
 * compared:
 *
 * <ul>
 * <li>A common subsequence is not longer than what the texts have in common as multisets, nor than the shorter one. So a text of m units that is
 *     similar to one of n has c >= t (m + n) / 2 of them in common, t being the threshold, and n is not below t m / (2 - t), which together is c >=
 *     t m / (2 - t).
 * <li>The k-th occurrence of a unit counts as an element of its own, which makes sets of the multisets. A text that has at least c of the m
 *     elements has at least one of any m - c + 1 of them (the principle of prefix filtering; S. Chaudhuri and others, ICDE 2006). The rarest ones
 *     are looked up, and only texts with one of these are candidates.
 * <li>Of these, the elements in common are counted, and where there are enough, the subsequence is computed, 64 columns at a time (H. Hyyrö,
 *     Bit-parallel LCS-length computation revisited, AWOCA 2004).
 * </ul>
 *
 * For one thread.
 */
final class NearDuplicates {
    private final double threshold;
    private final Map<Element, Integer> ids = new HashMap<>();
    /** For each element, the texts that have it. */
    private final List<IntList> texts = new ArrayList<>();
    private final List<Entry> entries = new ArrayList<>();

    /** The k-th occurrence of a unit in a text. */
    private record Element(String unit, int occurrence) {}

    /**
     * A text that was added.
     *
     * @param sequence its units, by the id of their first occurrence
     * @param elements its elements' ids, each once, in ascending order
     */
    private record Entry(int[] sequence, int[] elements) {}

    /** @param threshold of the similarity, more than 0 and at most 1 */
    NearDuplicates(double threshold) {
        if (!(threshold > 0 && threshold <= 1)) {
            throw new IllegalArgumentException("the threshold is %s, must be more than 0 and at most 1".formatted(threshold));
        }
        this.threshold = threshold;
    }

    /** Adds a text, whatever it is like. */
    void add(String text) {
        Entry entry = entry(TextUnits.of(text));
        for (int element : entry.elements) {
            texts.get(element).add(entries.size());
        }
        entries.add(entry);
    }

    /**
     * The number, from 0, of the first text that was added whose similarity to this one reaches the threshold; -1 if there is none. Texts without
     * any unit are like none.
     */
    int find(String text) {
        List<String> units = TextUnits.of(text);
        if (units.isEmpty()) {
            return -1;
        }
        Entry entry = entry(units);
        BitSet candidates = candidates(entry);
        for (int i = candidates.nextSetBit(0); i >= 0; i = candidates.nextSetBit(i + 1)) {
            if (isSimilar(entry, entries.get(i))) {
                return i;
            }
        }
        return -1;
    }

    /** All texts that can be similar, and few others. */
    private BitSet candidates(Entry entry) {
        int length = entry.sequence.length;
        int common = Math.max(1, (int) Math.ceil(threshold * length / (2 - threshold) - 1e-9));
        List<IntList> rarest = new ArrayList<>();
        for (int element : entry.elements) {
            rarest.add(texts.get(element));
        }
        rarest.sort(Comparator.comparingInt(IntList::size));
        BitSet candidates = new BitSet();
        for (IntList postings : rarest.subList(0, length - common + 1)) {
            postings.addTo(candidates);
        }
        return candidates;
    }

    private boolean isSimilar(Entry a, Entry b) {
        double needed = threshold * (a.sequence.length + b.sequence.length) / 2 - 1e-9;
        return Math.min(a.sequence.length, b.sequence.length) >= needed && inCommon(a.elements, b.elements) >= needed && commonSubsequence(a.sequence, b.sequence) >= needed;
    }

    private static int inCommon(int[] a, int[] b) {
        int count = 0;
        for (int i = 0, j = 0; i < a.length && j < b.length; ) {
            if (a[i] == b[j]) {
                count++;
                i++;
                j++;
            } else if (a[i] < b[j]) {
                i++;
            } else {
                j++;
            }
        }
        return count;
    }

    private Entry entry(List<String> units) {
        int[] sequence = new int[units.size()];
        int[] elements = new int[units.size()];
        Map<String, Integer> occurrences = new HashMap<>();
        for (int i = 0; i < sequence.length; i++) {
            int occurrence = occurrences.merge(units.get(i), 1, Integer::sum);
            elements[i] = id(new Element(units.get(i), occurrence));
            sequence[i] = id(new Element(units.get(i), 1));
        }
        Arrays.sort(elements);
        return new Entry(sequence, elements);
    }

    private int id(Element element) {
        return ids.computeIfAbsent(element, _ -> {
            texts.add(new IntList());
            return texts.size() - 1;
        });
    }

    /** ROUGE-L's F-measure of two texts, 0 to 1; 0 if one of them has no units. */
    static double similarity(String a, String b) {
        NearDuplicates both = new NearDuplicates(1);
        int[] first = both.entry(TextUnits.of(a)).sequence;
        int[] second = both.entry(TextUnits.of(b)).sequence;
        return first.length == 0 || second.length == 0 ? 0 : 2.0 * commonSubsequence(first, second) / (first.length + second.length);
    }

    /** Length of the longest common subsequence. A bit for each element of {@code a}; it is 0 where the length of the subsequence grows. */
    static int commonSubsequence(int[] a, int[] b) {
        int words = Math.ceilDiv(a.length, 64);
        Map<Integer, long[]> matches = new HashMap<>();
        for (int i = 0; i < a.length; i++) {
            matches.computeIfAbsent(a[i], _ -> new long[words])[i / 64] |= 1L << i;
        }
        long[] row = new long[words];
        Arrays.fill(row, -1);
        for (int element : b) {
            long[] match = matches.get(element);
            if (match == null) {
                continue; // the row stays as it is
            }
            boolean carry = false;
            for (int w = 0; w < words; w++) {
                long v = row[w];
                long u = v & match[w];
                long sum = v + u;
                boolean overflow = Long.compareUnsigned(sum, v) < 0;
                if (carry) {
                    sum++;
                    overflow |= sum == 0;
                }
                carry = overflow;
                row[w] = sum | v & ~match[w];
            }
        }
        int length = 0;
        for (int i = 0; i < a.length; i++) {
            length += (row[i / 64] >>> i & 1) == 0 ? 1 : 0;
        }
        return length;
    }

    /** Numbers in ascending order, without boxes. */
    private static final class IntList {
        private int[] values = new int[4];
        private int size;

        void add(int value) {
            if (size == values.length) {
                values = Arrays.copyOf(values, 2 * size);
            }
            values[size++] = value;
        }

        int size() {
            return size;
        }

        void addTo(BitSet set) {
            for (int i = 0; i < size; i++) {
                set.set(values[i]);
            }
        }
    }
}
