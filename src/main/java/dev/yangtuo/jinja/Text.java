package dev.yangtuo.jinja;

import java.util.Arrays;
import java.util.BitSet;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;

/**
 * A string that knows which of its chars are quoted: words of somebody, not of the template. Two are equal if their strings are. Places are indices
 * of chars unless it is said that they are of code points, which is what Python counts. Immutable.
 */
public final class Text implements Comparable<Text> {
    static final Text EMPTY = Text.of("");

    private final String value;
    /** Indices of the quoted chars; null where there is none. */
    private final @Nullable BitSet quoted;

    /** @param quoted belongs to the text from now on */
    Text(String value, @Nullable BitSet quoted) {
        this.value = value;
        this.quoted = quoted == null || quoted.isEmpty() ? null : quoted;
    }

    /** Words of nobody. */
    public static Text of(String value) {
        return new Text(value, null);
    }

    /** Words of somebody. */
    public static Text quote(String value) {
        BitSet all = new BitSet(value.length());
        all.set(0, value.length());
        return new Text(value, all);
    }

    /** The string alone. */
    public String value() {
        return value;
    }

    /** A copy of the indices of the chars that are quoted. */
    public BitSet quoted() {
        return quoted == null ? new BitSet() : (BitSet) quoted.clone();
    }

    boolean isQuoted(int index) {
        return quoted != null && quoted.get(index);
    }

    @Nullable BitSet quotedOrNull() {
        return quoted;
    }

    boolean isEmpty() {
        return value.isEmpty();
    }

    /** Chars. */
    int chars() {
        return value.length();
    }

    /** Code points. */
    int length() {
        return value.codePointCount(0, value.length());
    }

    /** The text between two places. */
    Text part(int from, int to) {
        if (from == 0 && to == value.length()) {
            return this;
        }
        return new Text(value.substring(from, to), quoted == null ? null : quoted.get(from, to));
    }

    Text from(int from) {
        return part(from, value.length());
    }

    /** The code point with that index. */
    Text codePoint(int index) {
        int from = value.offsetByCodePoints(0, index);
        return part(from, value.offsetByCodePoints(from, 1));
    }

    /** The code points between two indices of code points. */
    Text codePoints(int from, int to) {
        int start = value.offsetByCodePoints(0, from);
        return part(start, value.offsetByCodePoints(start, to - from));
    }

    /** Without the code points at its ends that are to go. */
    Text strip(boolean left, boolean right, IntPredicate goes) {
        int from = 0;
        int to = value.length();
        while (left && from < to && goes.test(value.codePointAt(from))) {
            from += Character.charCount(value.codePointAt(from));
        }
        while (right && to > from && goes.test(value.codePointBefore(to))) {
            to -= Character.charCount(value.codePointBefore(to));
        }
        return part(from, to);
    }

    /** What Python's {@code str.isspace} says of a character. */
    static boolean isSpace(int codePoint) {
        return codePoint >= 0x09 && codePoint <= 0x0D || codePoint >= 0x1C && codePoint <= 0x20 || codePoint == 0x85 || codePoint == 0xA0
                || codePoint > 0xFF && (Character.isSpaceChar(codePoint) || Character.isWhitespace(codePoint));
    }

    /** By code points, as Python does. */
    @Override
    public int compareTo(Text other) {
        int[] mine = value.codePoints().toArray();
        int[] others = other.value.codePoints().toArray();
        return Arrays.compare(mine, others);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Text text && value.equals(text.value);
    }

    @Override
    public int hashCode() {
        return value.hashCode();
    }

    @Override
    public String toString() {
        return value;
    }
}
