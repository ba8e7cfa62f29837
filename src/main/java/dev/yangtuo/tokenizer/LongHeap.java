package dev.yangtuo.tokenizer;

import java.util.Arrays;

/** A binary min-heap of longs. Used by one thread. */
final class LongHeap {
    private static final int INITIAL = 64;

    private long[] entries = new long[INITIAL];
    private int size;

    boolean isEmpty() {
        return size == 0;
    }

    void clear() {
        size = 0;
    }

    void add(long entry) {
        if (size == entries.length) {
            entries = Arrays.copyOf(entries, Math.addExact(size, size));
        }
        int at = size++;
        while (at > 0 && entries[at - 1 >> 1] > entry) {
            entries[at] = entries[at - 1 >> 1];
            at = at - 1 >> 1;
        }
        entries[at] = entry;
    }

    /** Removes the least entry of a heap that is not empty. {@return the entry} */
    long removeLeast() {
        long least = entries[0];
        long entry = entries[--size];
        int at = 0;
        while (true) {
            int child = 2 * at + 1;
            if (child >= size) {
                break;
            }
            if (child + 1 < size && entries[child + 1] < entries[child]) {
                child++;
            }
            if (entries[child] >= entry) {
                break;
            }
            entries[at] = entries[child];
            at = child;
        }
        entries[at] = entry;
        return least;
    }

    /** Drops an array that is longer than that. */
    void trim(int keptEntries) {
        if (entries.length > keptEntries) {
            entries = new long[INITIAL];
        }
    }
}
