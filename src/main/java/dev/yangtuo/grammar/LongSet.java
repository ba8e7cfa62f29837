package dev.yangtuo.grammar;

import java.util.Arrays;

/** A set of numbers that is filled and emptied often: open addressing in one array, the members beside it in the order in which they came. Used by one thread. */
final class LongSet {
    private static final int FEW = 64;

    private long[] members = new long[FEW];
    private int size;
    /** Index of a member plus 1, or 0; a power of two, at least twice as many as members. */
    private int[] table = new int[4 * FEW];

    /** Adds a number. {@return whether it is new} */
    boolean add(long value) {
        int at = slot(value);
        if (table[at] != 0) {
            return false;
        }
        if (size == members.length) {
            grow();
            at = slot(value);
        }
        members[size] = value;
        table[at] = ++size;
        return true;
    }

    /** Where it is, or would be. */
    private int slot(long value) {
        int mask = table.length - 1;
        long hash = value * 0x9E3779B97F4A7C15L;
        int at = (int) (hash >>> 40) & mask;
        while (table[at] != 0 && members[table[at] - 1] != value) {
            at = at + 1 & mask;
        }
        return at;
    }

    private void grow() {
        members = Arrays.copyOf(members, size * 2);
        table = new int[table.length * 2];
        for (int i = 0; i < size; i++) {
            table[slot(members[i])] = i + 1;
        }
    }

    int size() {
        return size;
    }

    long get(int index) {
        return members[index];
    }

    /** The members in ascending order. */
    long[] sorted() {
        long[] copy = Arrays.copyOf(members, size);
        Arrays.sort(copy);
        return copy;
    }

    void clear() {
        if (members.length > 1 << 16) {
            members = new long[FEW];
            table = new int[4 * FEW];
        } else {
            Arrays.fill(table, 0);
        }
        size = 0;
    }
}
