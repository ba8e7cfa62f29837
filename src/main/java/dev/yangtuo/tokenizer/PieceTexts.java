package dev.yangtuo.tokenizer;

import java.util.Arrays;

/**
 * The texts of all pieces of a vocabulary in one array. Loading a model is done once, mostly by the interpreter, which is fast on arrays and
 * slow on calls; so those who build tables at load read the arrays. Filled by one thread, afterwards read by any.
 */
final class PieceTexts {
    /** UTF-16 of the pieces, one behind the other, [ends[count - 1]]. */
    char[] chars = new char[1 << 14];
    /** Where each piece ends, int32, [count]; it begins where the one before ends. */
    int[] ends = new int[1 << 11];
    int count;
    /** The pieces as strings, made when first asked for; [count]. A race makes one twice. */
    private String[] strings = {};

    /** {@return where a piece begins in {@link #chars}} */
    int start(int id) {
        return id == 0 ? 0 : ends[id - 1];
    }

    int length(int id) {
        return ends[id] - start(id);
    }

    void add(String text) {
        int start = makeRoom(text.length());
        text.getChars(0, text.length(), chars, start);
        ends[count++] = start + text.length();
    }

    /** Adds a piece. {@return whether it is valid UTF-8; if not, nothing was added} */
    boolean addUtf8(byte[] utf8, int from, int to) {
        int at = makeRoom(to - from);
        char[] target = chars;
        int i = from;
        while (i < to) {
            int b = utf8[i];
            if (b >= 0) {
                target[at++] = (char) b;
                i++;
            } else if ((b & 0xF0) == 0xE0 && i + 2 < to && (utf8[i + 1] & 0xC0) == 0x80 && (utf8[i + 2] & 0xC0) == 0x80
                    && b != (byte) 0xE0 && b != (byte) 0xED) {
                target[at++] = (char) ((b & 0x0F) << 12 | (utf8[i + 1] & 0x3F) << 6 | utf8[i + 2] & 0x3F);
                i += 3;
            } else {
                int length = Utf8.characterLength(utf8, i, to);
                if (length <= 0) {
                    return false;
                }
                at += Character.toChars(Utf8.codePoint(utf8, i, length), target, at);
                i += length;
            }
        }
        ends[count++] = at;
        return true;
    }

    /** {@return where the next piece begins} */
    private int makeRoom(int more) {
        int start = start(count);
        if (count == ends.length) {
            ends = Arrays.copyOf(ends, Math.addExact(count, count));
        }
        if (chars.length - start < more) {
            chars = Arrays.copyOf(chars, Math.addExact(start, Math.max(more, start)));
        }
        return start;
    }

    /** Takes no more pieces. */
    void complete() {
        chars = Arrays.copyOf(chars, start(count));
        ends = Arrays.copyOf(ends, count);
        strings = new String[count];
    }

    /** {@return a piece} Only when complete. */
    String text(int id) {
        String text = strings[id];
        if (text == null) {
            text = new String(chars, start(id), length(id));
            strings[id] = text;
        }
        return text;
    }
}
