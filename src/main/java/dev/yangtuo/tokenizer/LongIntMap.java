package dev.yangtuo.tokenizer;

import java.util.concurrent.ThreadLocalRandom;

/**
 * Map from long to int with open addressing. Keys are any value but {@link #FREE}; values are never negative, so that -1 can say
 * "absent". At most half of the slots are taken. The hash is salted for each map, so that nobody can prepare a model whose keys
 * all fall into one place; what a map answers does not depend on the salt. Filled by one thread, afterwards read by any.
 */
final class LongIntMap {
    /** The one key that cannot be stored. */
    private static final long FREE = -1L;

    private static final int ABSENT = -1;

    private final long salt = ThreadLocalRandom.current().nextLong();
    /** Complements of the keys, so that a new array is all free. */
    private long[] keys;
    private int[] values;
    private int mask;
    private int size;

    LongIntMap(int expectedSize) {
        allocate(Math.max(8, Integer.highestOneBit(Math.max(1, expectedSize)) << 2));
    }

    private void allocate(int capacity) {
        keys = new long[capacity];
        values = new int[capacity];
        mask = capacity - 1;
    }

    int size() {
        return size;
    }

    /** {@return the value of a key, or -1} */
    int get(long key) {
        int slot = slot(key);
        while (true) {
            long found = keys[slot];
            if (found == ~key) {
                return values[slot];
            }
            if (found == 0) {
                return ABSENT;
            }
            slot = (slot + 1) & mask;
        }
    }

    /** Stores a value, replacing an earlier one. */
    void put(long key, int value) {
        if (key == FREE || value < 0) {
            throw new IllegalArgumentException("key %d, value %d cannot be stored".formatted(key, value));
        }
        if (2 * (size + 1) > keys.length) {
            grow();
        }
        int slot = slot(key);
        while (keys[slot] != 0 && keys[slot] != ~key) {
            slot = (slot + 1) & mask;
        }
        if (keys[slot] == 0) {
            keys[slot] = ~key;
            size++;
        }
        values[slot] = value;
    }

    private void grow() {
        long[] oldKeys = keys;
        int[] oldValues = values;
        allocate(Math.multiplyExact(oldKeys.length, 2));
        for (int i = 0; i < oldKeys.length; i++) {
            if (oldKeys[i] != 0) {
                int slot = slot(~oldKeys[i]);
                while (keys[slot] != 0) {
                    slot = (slot + 1) & mask;
                }
                keys[slot] = oldKeys[i];
                values[slot] = oldValues[i];
            }
        }
    }

    private int slot(long key) {
        // Two rounds of multiply and fold: pairs of small ids differ in few bits, and all of them must reach the low ones.
        long h = (key ^ salt) * 0x9E3779B97F4A7C15L;
        h = (h ^ (h >>> 32)) * 0xD6E8FEB86659FD93L;
        return (int) (h >>> 33) & mask;
    }
}
