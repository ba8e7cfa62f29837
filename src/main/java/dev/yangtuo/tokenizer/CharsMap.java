package dev.yangtuo.tokenizer;

import dev.yangtuo.exception.TokenizerFormatException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * SentencePiece's precompiled character map: which sequences of characters are replaced before segmentation, the longest first, such as
 * "ﬃ" by "ffi" in {@code nmt_nfkc}. Immutable, thread-safe.
 *
 * <p>Layout of the bytes: the size of the trie in bytes (uint32, little-endian), the units of a double array (uint32 each, Darts-clone),
 * then the replacements in UTF-8, each ended by a NUL. The trie maps the UTF-8 of a sequence to the offset of its replacement.
 *
 * <p>A unit of the double array, found at (offset of the parent's unit from the parent's index) XOR (byte): bits 0-7 and 31 hold the byte, bit
 * 8 says that a key ends here, bits 10-30 hold the offset to the children, times 256 if bit 9 is set. Below a unit where a key ends stands, under
 * the byte 0, a unit with bit 31 set and the value in the others. Units may share children, so the trie is a graph; it is checked to
 * be without cycles and its paths to be short, so that a search ends after few steps.
 */
final class CharsMap {
    /** Longest key, in bytes; the longest of the maps that SentencePiece brings has 15. */
    private static final int MAX_KEY_BYTES = 1024;

    /** Longest replacement, in bytes; the longest of the maps that SentencePiece brings has 33. */
    private static final int MAX_REPLACEMENT_BYTES = 4096;

    private static final int HEADER_BYTES = 4;
    private static final int BMP = 0x10000;

    /** Units of the double array, uint32, [units]. */
    private final int[] units;
    /** The replacements in UTF-8, each ended by a NUL. */
    private final byte[] replacements;
    /** One bit for each char that a key begins with, [65536 / 64]; of characters above U+FFFF their first char. */
    private final long[] firstChars = new long[BMP / Long.SIZE];
    private final int longestKey;

    private CharsMap(Path source, byte[] blob) {
        Blob reader = new Blob(source, blob);
        units = reader.units();
        replacements = reader.replacements();
        longestKey = new TrieCheck(reader, units).longestPath();
        noteFirstChars();
    }

    /**
     * {@return the map, or null where the bytes are empty: then characters stay as they are}
     *
     * @throws TokenizerFormatException if it is damaged; the message names the byte
     */
    static @Nullable CharsMap of(Path source, byte[] blob) {
        return blob.length == 0 ? null : new CharsMap(source, blob);
    }

    /** {@return the most chars that {@link #match} looks at} No key has more bytes, so none has more chars. */
    int longestKey() {
        return longestKey;
    }

    /** Whether a key may begin with that char. */
    boolean mayBegin(char c) {
        return (firstChars[c >> 6] & 1L << c) != 0;
    }

    /**
     * Finds the longest key that the text begins with.
     *
     * @param text UTF-16; a half surrogate pair ends the search
     * @return {@code replacement << 32 | chars of the key}, or -1 if there is none
     */
    long match(char[] text, int from, int to) {
        long found = -1;
        int base = offset(units[0]);
        int at = from;
        while (at < to) {
            int codePoint = text[at++];
            if (Character.isSurrogate((char) codePoint)) {
                if (Character.isLowSurrogate((char) codePoint) || at == to || !Character.isLowSurrogate(text[at])) {
                    break;
                }
                codePoint = Character.toCodePoint((char) codePoint, text[at++]);
            }
            int node = descend(base, codePoint);
            if (node < 0) {
                break;
            }
            base = node ^ offset(units[node]);
            if (endsKey(units[node])) {
                found = (long) value(units[base]) << Integer.SIZE | at - from;
            }
        }
        return found;
    }

    /** {@return the unit below {@code base} that the UTF-8 of a character leads to, or -1} */
    private int descend(int base, int codePoint) {
        if (codePoint < 0x80) {
            return child(base, codePoint);
        }
        int node;
        if (codePoint < 0x800) {
            node = child(base, 0xC0 | codePoint >> 6);
        } else {
            if (codePoint < BMP) {
                node = child(base, 0xE0 | codePoint >> 12);
            } else {
                node = childOf(child(base, 0xF0 | codePoint >> 18), 0x80 | codePoint >> 12 & 0x3F);
            }
            node = childOf(node, 0x80 | codePoint >> 6 & 0x3F);
        }
        return childOf(node, 0x80 | codePoint & 0x3F);
    }

    private int childOf(int node, int label) {
        return node < 0 ? -1 : child(node ^ offset(units[node]), label);
    }

    /** {@return the unit of that byte below {@code base}, or -1} A base of a damaged unit may point anywhere; then there is no child. */
    private int child(int base, int label) {
        int node = base ^ label;
        return node < units.length && label(units[node]) == label ? node : -1;
    }

    /**
     * Writes a replacement as UTF-16.
     *
     * @param replacement the upper half of what {@link #match} returned
     * @param target with room for {@link #replacementBytes} chars
     * @return where it ends in the target
     */
    int copy(int replacement, char[] target, int at) {
        int from = replacement;
        int end = at;
        while (from < replacements.length && replacements[from] != 0) {
            int length = Utf8.characterLength(replacements, from, replacements.length);
            end += Character.toChars(Utf8.codePoint(replacements, from, length), target, end);
            from += length;
        }
        return end;
    }

    /** {@return the length of a replacement in UTF-8; in UTF-16 it is at most that} */
    int replacementBytes(int replacement) {
        int end = replacement;
        while (end < replacements.length && replacements[end] != 0) {
            end++;
        }
        return end - replacement;
    }

    /** Whether a replacement ends in a space. */
    boolean endsInSpace(int replacement) {
        int length = replacementBytes(replacement);
        return length > 0 && replacements[replacement + length - 1] == ' ';
    }

    /** Whether a replacement is one space. */
    boolean isSpace(int replacement) {
        return replacementBytes(replacement) == 1 && replacements[replacement] == ' ';
    }

    private void noteFirstChars() {
        int root = offset(units[0]);
        for (int c = 1; c < BMP; c++) {
            if (!Character.isSurrogate((char) c)) {
                if (c >= 0x80 && (c & 0x3F) == 0 && !anyBelow(root, c)) {
                    c |= 0x3F; // none of the 64 characters that differ in the last byte only
                } else if (descend(root, c) >= 0) {
                    firstChars[c >> 6] |= 1L << c;
                }
            }
        }
        for (int lead = 0xF0; lead <= 0xF4; lead++) {
            if (child(root, lead) >= 0) {
                // Characters above U+FFFF are rare: all of them are looked up if there is one.
                for (int c = Character.MIN_HIGH_SURROGATE; c <= Character.MAX_HIGH_SURROGATE; c++) {
                    firstChars[c >> 6] |= 1L << c;
                }
            }
        }
    }

    /** Whether some key begins with the bytes of the character but for the last one. */
    private boolean anyBelow(int root, int codePoint) {
        return codePoint < 0x800 ? child(root, 0xC0 | codePoint >> 6) >= 0
                : childOf(child(root, 0xE0 | codePoint >> 12), 0x80 | codePoint >> 6 & 0x3F) >= 0;
    }

    private static int offset(int unit) {
        return unit >>> 10 << ((unit & 1 << 9) >> 6);
    }

    private static int label(int unit) {
        return unit & (1 << 31 | 0xFF);
    }

    private static boolean endsKey(int unit) {
        return (unit & 1 << 8) != 0;
    }

    private static int value(int unit) {
        return unit & Integer.MAX_VALUE;
    }

    /** Reads the bytes; nothing is believed. */
    private static final class Blob {
        private final Path source;
        private final byte[] blob;
        private final int trieEnd;

        Blob(Path source, byte[] blob) {
            this.source = source;
            this.blob = blob;
            if (blob.length < HEADER_BYTES) {
                throw error(0, "it has %d bytes, too few for the size of its trie".formatted(blob.length));
            }
            long trieBytes = Integer.toUnsignedLong(ByteBuffer.wrap(blob).order(ByteOrder.LITTLE_ENDIAN).getInt());
            if (trieBytes == 0 || trieBytes % Integer.BYTES != 0 || trieBytes > blob.length - HEADER_BYTES) {
                throw error(0, "its trie claims %d bytes; expected a multiple of 4, at least 4 and at most the %d that are left".formatted(
                        trieBytes, blob.length - HEADER_BYTES));
            }
            trieEnd = HEADER_BYTES + (int) trieBytes;
            checkReplacements();
        }

        int[] units() {
            int[] units = new int[(trieEnd - HEADER_BYTES) / Integer.BYTES];
            ByteBuffer.wrap(blob, HEADER_BYTES, trieEnd - HEADER_BYTES).order(ByteOrder.LITTLE_ENDIAN).asIntBuffer().get(units);
            return units;
        }

        byte[] replacements() {
            byte[] bytes = new byte[blob.length - trieEnd];
            System.arraycopy(blob, trieEnd, bytes, 0, bytes.length);
            return bytes;
        }

        private void checkReplacements() {
            int start = trieEnd;
            for (int i = trieEnd; i < blob.length; ) {
                int length = Utf8.characterLength(blob, i, blob.length);
                if (length <= 0) {
                    throw error(i, "the replacements are not valid UTF-8");
                }
                start = blob[i] == 0 ? i + 1 : start;
                i += length;
                if (i - start > MAX_REPLACEMENT_BYTES) {
                    throw error(start, "the replacement there is longer than the %d bytes that are supported".formatted(MAX_REPLACEMENT_BYTES));
                }
            }
        }

        /** Checks the value in a unit: where a replacement, or a part of one, begins. */
        void checkValue(int unit, int value) {
            if (value >= blob.length - trieEnd || (blob[trieEnd + value] & 0xC0) == 0x80) {
                throw unitError(unit, "its replacement begins at %d, which is no beginning of a character in the %d bytes of replacements".formatted(
                        value, blob.length - trieEnd));
            }
        }

        TokenizerFormatException unitError(int unit, String problem) {
            return error(HEADER_BYTES + Integer.BYTES * unit, "unit %d: %s".formatted(unit, problem));
        }

        private TokenizerFormatException error(int byteOffset, String problem) {
            return new TokenizerFormatException(source, "at byte %d of the precompiled character map: %s".formatted(byteOffset, problem));
        }
    }

    /**
     * Walks through all that can be reached from the root, each unit once, and finds the length of the longest path. Children are found by
     * their own labels instead of trying 255 bytes below each unit: a unit i with the label b belongs below the base i XOR b, and nowhere else.
     */
    private static final class TrieCheck {
        private static final short ON_PATH = -1;

        private final Blob blob;
        private final int[] units;
        /** First unit that belongs below each base, and the next one of the same base, as index + 1; int32, [units rounded up to 256]. */
        private final int[] first;
        private final int[] next;
        /** Steps from a unit to the end of the longest key below it, plus 1; 0 where it was not looked at yet. */
        private final short[] heights;

        TrieCheck(Blob blob, int[] units) {
            this.blob = blob;
            this.units = units;
            int rounded = Math.addExact(units.length, 255) & ~255;
            first = new int[rounded];
            next = new int[units.length];
            heights = new short[units.length];
            for (int i = units.length - 1; i > 0; i--) {
                int label = label(units[i]);
                if (label > 0) {
                    next[i] = first[i ^ label];
                    first[i ^ label] = i + 1;
                }
            }
        }

        int longestPath() {
            int[] path = new int[MAX_KEY_BYTES + 1];
            // The child to look at next, as index + 1, of each unit on the path.
            int[] pending = new int[MAX_KEY_BYTES + 1];
            int depth = 0;
            enter(path, pending, 0, 0);
            while (true) {
                int child = pending[depth] - 1;
                if (child < 0) {
                    int unit = path[depth];
                    heights[unit] = (short) (height(unit) + 1);
                    if (depth == 0) {
                        return heights[unit] - 1;
                    }
                    depth--;
                    continue;
                }
                pending[depth] = next[child];
                if (heights[child] == ON_PATH) {
                    throw blob.unitError(child, "the trie runs in a circle");
                }
                if (heights[child] == 0) {
                    if (depth == MAX_KEY_BYTES) {
                        throw blob.unitError(child, "its key is longer than the %d bytes that are supported".formatted(MAX_KEY_BYTES));
                    }
                    enter(path, pending, ++depth, child);
                } else if (depth + heights[child] > MAX_KEY_BYTES) {
                    throw blob.unitError(child, "keys below it are longer than the %d bytes that are supported".formatted(MAX_KEY_BYTES));
                }
            }
        }

        private void enter(int[] path, int[] pending, int depth, int unit) {
            path[depth] = unit;
            heights[unit] = ON_PATH;
            int base = unit ^ offset(units[unit]);
            if (base < 0 || base >= first.length) {
                throw blob.unitError(unit, "its children begin at %d, outside the %d units".formatted(base, units.length));
            }
            pending[depth] = first[base];
            if (endsKey(units[unit])) {
                if (base >= units.length || units[base] >= 0) {
                    throw blob.unitError(unit, "a key ends there, but unit %d holds no value".formatted(base));
                }
                blob.checkValue(base, value(units[base]));
            }
        }

        private int height(int unit) {
            int height = 0;
            for (int child = first[unit ^ offset(units[unit])]; child != 0; child = next[child - 1]) {
                height = Math.max(height, heights[child - 1]);
            }
            return height;
        }
    }
}
