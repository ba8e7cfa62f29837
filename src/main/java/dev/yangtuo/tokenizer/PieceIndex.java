package dev.yangtuo.tokenizer;

import java.util.concurrent.ThreadLocalRandom;

/**
 * Finds the id of a piece, also by a part of a longer text whose hash is already known. Open addressing over ids; equal hashes are
 * confirmed by comparing the characters.
 *
 * <p>The hash of chars c0..cn is the polynomial sum of (ci + 1) * b^(n-i) modulo 2^64 with an odd base b drawn at random for
 * each index: the hash of any part follows from those of two prefixes. Pieces that collide under every base can be prepared (Thue-Morse words),
 * but have thousands of characters each, so that no file holds enough of them to matter. Results do not depend on b. Filled by one thread,
 * afterwards read by any.
 */
final class PieceIndex {
    static final int ABSENT = -1;

    private final PieceTexts texts;
    private final long base = ThreadLocalRandom.current().nextLong() | 1;
    /** id + 1 of the piece in each slot, 0 where free; int32, [a power of two, at least twice the pieces]. */
    private final int[] slots;
    /** Hash of the piece in each slot, [same]. */
    private final long[] hashes;

    /**
     * @param texts all pieces by id
     * @param capacity how many of them will be added at most
     */
    PieceIndex(PieceTexts texts, int capacity) {
        this.texts = texts;
        int size = Math.max(8, Integer.highestOneBit(Math.max(1, capacity)) << 2);
        slots = new int[size];
        hashes = new long[size];
    }

    /** Adds a piece. {@return -1, or the id of an equal piece that is there already, which then stays} */
    int add(int id) {
        char[] chars = texts.chars;
        int from = texts.start(id);
        int to = texts.ends[id];
        long hash = 0;
        for (int i = from; i < to; i++) {
            hash = hash * base + chars[i] + 1;
        }
        int slot = find(hash, chars, from, to);
        if (slot >= 0) {
            return slots[slot] - 1;
        }
        slots[~slot] = id + 1;
        hashes[~slot] = hash;
        return ABSENT;
    }

    /** {@return the id of the piece, or -1} */
    int id(String piece) {
        char[] chars = piece.toCharArray();
        long hash = 0;
        for (char c : chars) {
            hash = hash * base + c + 1;
        }
        return id(hash, chars, 0, chars.length);
    }

    /** {@return the id of the piece that equals {@code text[from, to)}, whose hash is given, or -1} */
    int id(long hash, char[] text, int from, int to) {
        int slot = find(hash, text, from, to);
        return slot < 0 ? ABSENT : slots[slot] - 1;
    }

    /** {@return the slot of the piece, or the complement of the free slot where it belongs} */
    private int find(long hash, char[] text, int from, int to) {
        int mask = slots.length - 1;
        int slot = (int) (hash * 0x9E3779B97F4A7C15L >>> 32) & mask;
        while (slots[slot] != 0) {
            if (hashes[slot] == hash && equals(slots[slot] - 1, text, from, to)) {
                return slot;
            }
            slot = slot + 1 & mask;
        }
        return ~slot;
    }

    private boolean equals(int id, char[] text, int from, int to) {
        int start = texts.start(id);
        if (texts.ends[id] - start != to - from) {
            return false;
        }
        char[] chars = texts.chars;
        for (int i = from; i < to; i++) {
            if (chars[start + i - from] != text[i]) {
                return false;
            }
        }
        return true;
    }

    /** {@return b, to compute hashes with} */
    long base() {
        return base;
    }
}
