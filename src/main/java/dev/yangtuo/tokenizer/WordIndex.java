package dev.yangtuo.tokenizer;

import java.util.concurrent.ThreadLocalRandom;

/**
 * Finds the normal piece of a byte-level vocabulary that a whole word is, by the word's own characters; pieces that are not whole
 * characters are not in it. Open addressing; equal slots are confirmed by comparing the characters. Hashes are salted, so that nobody can
 * prepare pieces that all fall into one place; what the index answers does not depend on the salt. Immutable and thread-safe.
 */
final class WordIndex {
    static final int ABSENT = -1;

    private final long salt = ThreadLocalRandom.current().nextLong();
    /** id + 1 of the piece in each slot, 0 where free; int32, [a power of two, at least twice the pieces]. */
    private final int[] slots;
    /** The upper half of each slot's hash, int32, [same]. */
    private final int[] tags;
    /** The text of all pieces in it one after the other, UTF-16. */
    private final char[] texts;
    /** Where the text of each piece begins in {@link #texts}, int32, [pieces + 1]; equal to the next where a piece is not in the index. */
    private final int[] offsets;
    private final int longest;

    WordIndex(Vocabulary vocabulary) {
        int size = vocabulary.size();
        slots = new int[Math.max(8, Integer.highestOneBit(size) << 2)];
        tags = new int[slots.length];
        offsets = new int[size + 1];
        int totalChars = 0;
        for (int id = 0; id < size; id++) {
            totalChars += vocabulary.type(id) == PieceType.NORMAL ? vocabulary.piece(id).length() : 0;
        }
        // Text has at most one char for each byte, and a piece one for each of its bytes.
        texts = new char[totalChars];
        char[] decoded = new char[Vocabulary.MAX_PIECE_CHARS];
        int used = 0;
        int longestSoFar = 0;
        for (int id = 0; id < size; id++) {
            offsets[id] = used;
            String piece = vocabulary.piece(id);
            if (vocabulary.type(id) != PieceType.NORMAL || !ByteAlphabet.spells(piece)) {
                continue;
            }
            byte[] bytes = ByteAlphabet.bytes(piece);
            if (Utf8.isValid(bytes, 0, bytes.length)) {
                int length = Utf8.toUtf16(bytes, decoded);
                System.arraycopy(decoded, 0, texts, used, length);
                add(id, used, used + length);
                used += length;
                longestSoFar = Math.max(longestSoFar, length);
            }
        }
        offsets[size] = used;
        longest = longestSoFar;
    }

    private void add(int id, int from, int to) {
        long hash = hash(texts, from, to);
        int slot = (int) hash & slots.length - 1;
        while (slots[slot] != 0) {
            slot = slot + 1 & slots.length - 1;
        }
        slots[slot] = id + 1;
        tags[slot] = (int) (hash >>> 32);
    }

    /** {@return the id of the piece that {@code text[from, to)} is, or -1} */
    int find(char[] text, int from, int to) {
        int length = to - from;
        if (length > longest) {
            return ABSENT;
        }
        long hash = hash(text, from, to);
        int slot = (int) hash & slots.length - 1;
        while (slots[slot] != 0) {
            if (tags[slot] == (int) (hash >>> 32)) {
                int id = slots[slot] - 1;
                if (equal(offsets[id], offsets[id + 1], text, from, length)) {
                    return id;
                }
            }
            slot = slot + 1 & slots.length - 1;
        }
        return ABSENT;
    }

    private boolean equal(int begin, int end, char[] text, int from, int length) {
        if (end - begin != length) {
            return false;
        }
        for (int i = 0; i < length; i++) {
            if (texts[begin + i] != text[from + i]) {
                return false;
            }
        }
        return true;
    }

    private long hash(char[] text, int from, int to) {
        long hash = salt;
        for (int i = from; i < to; i++) {
            hash = (hash ^ text[i]) * 0x9E3779B97F4A7C15L;
            hash ^= hash >>> 29;
        }
        return hash;
    }
}
