package dev.yangtuo.tokenizer;

/** UTF-8 as SentencePiece reads it: every byte that is not part of a valid character stands alone and counts as U+FFFD. */
public final class Utf8 {
    /** The bytes so far may be the beginning of a valid character. */
    static final int UNFINISHED = 0;

    /** The first byte cannot begin a valid character, whatever follows. */
    static final int INVALID = -1;

    private Utf8() {}

    /**
     * {@return the text in these bytes; each one that is not part of a valid character becomes U+FFFD}
     *
     * @param bytes UTF-8, valid or not
     */
    public static String decode(byte[] bytes) {
        char[] chars = new char[bytes.length];
        return new String(chars, 0, toUtf16(bytes, chars));
    }

    /**
     * Looks at the character that begins at {@code from}. Overlong forms, surrogates and values above U+10FFFF are invalid
     * (Unicode 15, table 3-7).
     *
     * @param to end of the bytes, exclusive; greater than {@code from}
     * @return its length in bytes, 1 to 4, or {@link #UNFINISHED} or {@link #INVALID}
     */
    static int characterLength(byte[] bytes, int from, int to) {
        int lead = bytes[from] & 0xFF;
        if (lead < 0x80) {
            return 1;
        }
        int length = lead < 0xC2 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF5 ? 4 : 0;
        if (length == 0) {
            return INVALID;
        }
        // Only the first trail byte has a range that depends on the lead.
        int low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
        int high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
        int available = Math.min(length, to - from);
        for (int i = 1; i < available; i++) {
            int trail = bytes[from + i] & 0xFF;
            if (trail < low || trail > high) {
                return INVALID;
            }
            low = 0x80;
            high = 0xBF;
        }
        return available == length ? length : UNFINISHED;
    }

    /** {@return the code point of a valid character of that many bytes} */
    static int codePoint(byte[] bytes, int from, int length) {
        return switch (length) {
            case 1 -> bytes[from];
            case 2 -> (bytes[from] & 0x1F) << 6 | bytes[from + 1] & 0x3F;
            case 3 -> (bytes[from] & 0x0F) << 12 | (bytes[from + 1] & 0x3F) << 6 | bytes[from + 2] & 0x3F;
            default -> (bytes[from] & 0x07) << 18 | (bytes[from + 1] & 0x3F) << 12 | (bytes[from + 2] & 0x3F) << 6
                    | bytes[from + 3] & 0x3F;
        };
    }

    /**
     * Decodes bytes, each one that is not part of a valid character to U+FFFD.
     *
     * @param target receives UTF-16; at least as long as {@code bytes}
     * @return the number of chars written
     */
    static int toUtf16(byte[] bytes, char[] target) {
        int length = 0;
        for (int i = 0; i < bytes.length; ) {
            int characterLength = characterLength(bytes, i, bytes.length);
            if (characterLength <= 0) {
                target[length++] = '\uFFFD';
                i++;
            } else {
                length += Character.toChars(codePoint(bytes, i, characterLength), target, length);
                i += characterLength;
            }
        }
        return length;
    }

    /** {@return how many bytes a text without half surrogate pairs takes} */
    static int length(CharSequence text) {
        int length = 0;
        for (int i = 0; i < text.length(); i++) {
            length += bytesOf(text.charAt(i));
        }
        return length;
    }

    /** {@return how many bytes of UTF-8 fall to a char; a surrogate is half of a character of four} */
    static int bytesOf(char c) {
        return c < 0x80 ? 1 : c < 0x800 || Character.isSurrogate(c) ? 2 : 3;
    }

    /** {@return whether the bytes are valid UTF-8 from start to end} */
    public static boolean isValid(byte[] bytes, int from, int to) {
        for (int i = from; i < to; ) {
            int length = characterLength(bytes, i, to);
            if (length <= 0) {
                return false;
            }
            i += length;
        }
        return true;
    }
}
