package dev.yangtuo.tokenizer;

import java.util.concurrent.ThreadLocalRandom;

/**
 * From two adjacent symbols to the piece that they form, or to the rank of their merge: open addressing, one long an entry, so that a
 * lookup costs one cache miss. Symbols, pieces and ranks are below 2^21. Filled by one thread, afterwards read by any. The hash is salted as
 * in {@link LongIntMap}.
 */
final class PairTable {
    /** Bits of a symbol. */
    static final int SYMBOL_BITS = 21;

    private static final int VALUE_MASK = (1 << SYMBOL_BITS) - 1;
    private static final long FREE = 0;

    private final long salt = ThreadLocalRandom.current().nextLong();
    /** {@code (left << 42 | right << 21 | piece) + 1}, 0 where free; [a power of two, at most half of it taken]. */
    private long[] entries;
    private int shift;
    private int size;

    PairTable(int expectedSize) {
        allocate(Math.max(8, Integer.highestOneBit(Math.max(1, expectedSize)) << 2));
    }

    private void allocate(int capacity) {
        entries = new long[capacity];
        shift = Long.SIZE - Integer.numberOfTrailingZeros(capacity);
    }

    int size() {
        return size;
    }

    /** {@return the piece, or -1} */
    int get(int left, int right) {
        long key = (long) left << SYMBOL_BITS | right;
        int mask = entries.length - 1;
        int slot = slot(key);
        while (true) {
            long entry = entries[slot] - 1;
            if (entry >> SYMBOL_BITS == key) {
                return (int) entry & VALUE_MASK;
            }
            if (entry < 0) {
                return -1;
            }
            slot = slot + 1 & mask;
        }
    }

    /** Enters a pair that is not there yet. */
    void add(int left, int right, int piece) {
        if (2 * (size + 1) > entries.length) {
            long[] old = entries;
            allocate(Math.multiplyExact(old.length, 2));
            for (long entry : old) {
                if (entry != FREE) {
                    insert(entry - 1);
                }
            }
        }
        insert(((long) left << SYMBOL_BITS | right) << SYMBOL_BITS | piece);
        size++;
    }

    private void insert(long entry) {
        int mask = entries.length - 1;
        int slot = slot(entry >> SYMBOL_BITS);
        while (entries[slot] != FREE) {
            slot = slot + 1 & mask;
        }
        entries[slot] = entry + 1;
    }

    private int slot(long key) {
        long h = (key ^ salt) * 0x9E3779B97F4A7C15L;
        h = (h ^ h >>> 32) * 0xD6E8FEB86659FD93L;
        return (int) (h >>> shift);
    }
}
