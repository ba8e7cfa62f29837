package dev.yangtuo.tokenizer;

/**
 * Remembers the ids of short chunks of text. A chunk has two places; a newer one takes the first, what was there moves to the second. An entry is 64
 * bytes, a cache line. Used by one thread.
 */
final class ChunkCache {
    /** Longest chunk, in chars. */
    static final int MAX_CHARS = 16;

    /** For all threads together, in bytes. */
    private static final int BUDGET = 2 << 20;

    private static final int MAX_SETS = 1 << 12;
    private static final int MIN_SETS = 1 << 8;

    /** Ints of an entry: a header, the chars by two, the ids. */
    private static final int STRIDE = 16;
    private static final int CHARS = 1;
    private static final int IDS = CHARS + MAX_CHARS / 2;
    /** Most ids of a chunk. */
    private static final int MAX_IDS = STRIDE - IDS;

    /** Ints of the two entries that a hash leads to. */
    private static final int SET = 2 * STRIDE;

    /** Header: bits 0-4 the length in chars, 5-7 the number of ids, 8-31 those of the hash; 0 where there is no entry. */
    private static final int LENGTH_AND_HASH = ~0xE0;

    private static final int COUNT_SHIFT = 5;
    private static final int HASH = ~0xFF;

    private final int[] slab;
    private final int shift;

    ChunkCache() {
        int fair = BUDGET / (Integer.BYTES * SET) / Runtime.getRuntime().availableProcessors();
        int sets = Math.clamp(Integer.highestOneBit(Math.max(1, fair)), MIN_SETS, MAX_SETS);
        slab = new int[sets * SET];
        shift = Integer.SIZE - Integer.numberOfTrailingZeros(sets);
    }

    /**
     * Appends the ids of {@code text[from, from + length)}, if they are known.
     *
     * @param length from 1 to {@link #MAX_CHARS}
     * @param hash of the chars, well mixed in its upper bits
     * @return whether they were
     */
    boolean find(char[] text, int from, int length, int hash, TokenBuffer target) {
        int expected = hash & HASH | length;
        int entry = (hash >>> shift) * SET;
        if ((slab[entry] & LENGTH_AND_HASH) != expected || !equals(text, from, length, entry)) {
            entry += STRIDE;
            if ((slab[entry] & LENGTH_AND_HASH) != expected || !equals(text, from, length, entry)) {
                return false;
            }
        }
        target.addAll(slab, entry + IDS, slab[entry] >>> COUNT_SHIFT & 7);
        return true;
    }

    private boolean equals(char[] text, int from, int length, int entry) {
        int at = entry + CHARS;
        int pairs = length >> 1;
        for (int i = 0; i < pairs; i++) {
            if (slab[at + i] != (text[from + 2 * i] | text[from + 2 * i + 1] << Character.SIZE)) {
                return false;
            }
        }
        return (length & 1) == 0 || slab[at + pairs] == text[from + length - 1];
    }

    /** Remembers the ids from {@code firstToken} on for a chunk, unless they are too many. */
    void put(char[] text, int from, int length, int hash, TokenBuffer tokens, int firstToken) {
        int count = tokens.size() - firstToken;
        if (count > MAX_IDS) {
            return;
        }
        int entry = (hash >>> shift) * SET;
        System.arraycopy(slab, entry, slab, entry + STRIDE, STRIDE);
        slab[entry] = hash & HASH | count << COUNT_SHIFT | length;
        for (int i = 0; i < length; i++) {
            int at = entry + CHARS + (i >> 1);
            slab[at] = (i & 1) == 0 ? text[from + i] : slab[at] | text[from + i] << Character.SIZE;
        }
        for (int i = 0; i < count; i++) {
            slab[entry + IDS + i] = tokens.id(firstToken + i);
        }
    }
}
