package dev.yangtuo.tokenizer;

import java.util.concurrent.ThreadLocalRandom;

/**
 * Finds the id of a piece, also by a part of a longer string whose hash is already known. Open addressing over ids; equal hashes are
 * confirmed by comparing the characters.
 *
 * <p>The hash of chars c0..cn is the polynomial sum of (ci + 1) * b^(n-i) modulo 2^64 with an odd base b drawn at random for
 * each index: the hash of any part follows from those of two prefixes. Pieces that collide under every base can be prepared (Thue-Morse words),
 * but have thousands of characters each, so that no file holds enough of them to matter. Results do not depend on b. Filled by one thread,
 * afterwards read by any.
 */
final class PieceIndex {
    static final int ABSENT = -1;

    private final String[] pieces;
    private final long base = ThreadLocalRandom.current().nextLong() | 1;
    /** id + 1 of the piece in each slot, 0 where free; int32, [a power of two, at least twice the pieces]. */
    private final int[] slots;
    /** Hash of the piece in each slot, [same]. */
    private final long[] hashes;

    /**
     * @param pieces all pieces by id; kept, not copied
     * @param capacity how many of them will be added at most
     */
    PieceIndex(String[] pieces, int capacity) {
        this.pieces = pieces;
        int size = Math.max(8, Integer.highestOneBit(Math.max(1, capacity)) << 2);
        slots = new int[size];
        hashes = new long[size];
    }

    /** Adds a piece. {@return -1, or the id of an equal piece that is there already, which then stays} */
    int add(int id) {
        String piece = pieces[id];
        long hash = hash(piece, 0, piece.length());
        int slot = find(hash, piece, 0, piece.length());
        if (slot >= 0) {
            return slots[slot] - 1;
        }
        slots[~slot] = id + 1;
        hashes[~slot] = hash;
        return ABSENT;
    }

    /** {@return the id of the piece, or -1} */
    int id(String piece) {
        return id(hash(piece, 0, piece.length()), piece, 0, piece.length());
    }

    /** {@return the id of the piece that equals {@code text[from, to)}, whose hash is given, or -1} */
    int id(long hash, String text, int from, int to) {
        int slot = find(hash, text, from, to);
        return slot < 0 ? ABSENT : slots[slot] - 1;
    }

    /** {@return the slot of the piece, or the complement of the free slot where it belongs} */
    private int find(long hash, String text, int from, int to) {
        int mask = slots.length - 1;
        int slot = (int) (hash * 0x9E3779B97F4A7C15L >>> 32) & mask;
        while (slots[slot] != 0) {
            if (hashes[slot] == hash) {
                String piece = pieces[slots[slot] - 1];
                if (piece.length() == to - from && text.startsWith(piece, from)) {
                    return slot;
                }
            }
            slot = (slot + 1) & mask;
        }
        return ~slot;
    }

    long hash(String text, int from, int to) {
        long hash = 0;
        for (int i = from; i < to; i++) {
            hash = hash * base + text.charAt(i) + 1;
        }
        return hash;
    }

    /** {@return the hash of a string with that hash and one more char} */
    long append(long hash, char next) {
        return hash * base + next + 1;
    }

    /** {@return the hash of what remains of {@code whole} after {@code prefix}; {@code power} is b to the number of chars that remain} */
    long suffix(long whole, long prefix, long power) {
        return whole - prefix * power;
    }

    /** {@return the next power of b} */
    long nextPower(long power) {
        return power * base;
    }
}
