package dev.yangtuo.tokenizer;

import java.util.Arrays;

/**
 * How byte-level vocabularies write bytes, so that every piece is printable text: a byte that is a visible character of Latin-1 stands for
 * itself, the others for U+0100 and up in their order (GPT-2's {@code bytes_to_unicode}). A space is U+0120, a line feed U+010A.
 */
final class ByteAlphabet {
    /** How many bytes have no visible character of their own; the alphabet ends at U+0143. */
    private static final int SHIFTED = 68;

    private static final char[] CHARS = new char[256];
    /** Byte of each character of the alphabet, -1 for others, int16, [U+0000 to U+0143]. */
    private static final short[] BYTES = new short[256 + SHIFTED];

    static {
        Arrays.fill(BYTES, (short) -1);
        char shifted = 256;
        for (int value = 0; value < 256; value++) {
            boolean visible = value > ' ' && value < 0x7F || value > 0xA0 && value != 0xAD;
            CHARS[value] = visible ? (char) value : shifted++;
            BYTES[CHARS[value]] = (short) value;
        }
    }

    private ByteAlphabet() {}

    /** {@return how a byte is written}
     *
     * @param value 0 to 255
     */
    static char charOf(int value) {
        return CHARS[value];
    }

    /** {@return the byte, 0 to 255, that a character stands for, or -1} */
    static int byteOf(char c) {
        return c < BYTES.length ? BYTES[c] : -1;
    }

    /** Whether a byte occurs in valid UTF-8. The others may be missing in a vocabulary, or their characters be pieces of another kind. */
    static boolean occursInUtf8(int value) {
        return value < 0xF5 && value != 0xC0 && value != 0xC1;
    }

    /** {@return whether each character of a piece stands for a byte} */
    static boolean spells(String piece) {
        for (int i = 0; i < piece.length(); i++) {
            if (byteOf(piece.charAt(i)) < 0) {
                return false;
            }
        }
        return true;
    }

    /** {@return the bytes that a piece stands for} All of its characters must be of the alphabet. */
    static byte[] bytes(String piece) {
        byte[] bytes = new byte[piece.length()];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) byteOf(piece.charAt(i));
        }
        return bytes;
    }
}
