package dev.yangtuo.tokenizer;

/**
 * Gives a text in parts, as well-formed UTF-16 except for {@link #INVALID_BYTE}. Used by one thread; used again for other texts.
 */
sealed interface TextSource {
    /**
     * Stands for a byte that is not part of a valid character, where the reader tells it from a U+FFFD that somebody wrote: a low half
     * surrogate without its high half, which nothing else leaves in the text.
     */
    char INVALID_BYTE = Character.MIN_LOW_SURROGATE;

    char REPLACEMENT = '\uFFFD';

    /**
     * Copies chars, never half a surrogate pair.
     *
     * @param room at least 2
     * @return how many, at least one unless the text is exhausted
     */
    int read(char[] target, int at, int room);

    boolean exhausted();

    /** A part of a text in Java's own form; half surrogate pairs become U+FFFD unless they are kept. */
    final class Chars implements TextSource {
        private CharSequence text = "";
        private boolean keepHalves;
        private int position;
        private int end;

        /**
         * {@return this source, which gives {@code text[from, to)} from now on}
         *
         * @param keep whether half surrogate pairs stay as they are, because they stand for invalid bytes
         */
        Chars of(CharSequence newText, int from, int to, boolean keep) {
            text = newText;
            position = from;
            end = to;
            keepHalves = keep;
            return this;
        }

        /** Holds no text any longer. */
        void release() {
            of("", 0, 0, false);
        }

        @Override
        public int read(char[] target, int at, int room) {
            int count = Math.min(room, end - position);
            text.getChars(position, position + count, target, at);
            if (count > 1 && position + count < end && Character.isHighSurrogate(target[at + count - 1])) {
                count--;
            }
            position += count;
            if (!keepHalves) {
                replaceHalves(target, at, at + count);
            }
            return count;
        }

        private static void replaceHalves(char[] chars, int from, int to) {
            for (int i = from; i < to; i++) {
                if (Character.isSurrogate(chars[i])) {
                    if (Character.isHighSurrogate(chars[i]) && i + 1 < to && Character.isLowSurrogate(chars[i + 1])) {
                        i++;
                    } else {
                        chars[i] = REPLACEMENT;
                    }
                }
            }
        }

        @Override
        public boolean exhausted() {
            return position == end;
        }
    }

    /** Bytes in UTF-8, valid or not; an unfinished character at the end is invalid unless more is to come. */
    final class Bytes implements TextSource {
        private static final byte[] NOTHING = {};

        private byte[] utf8 = NOTHING;
        private char invalid;
        private boolean more;
        private int position;
        private int end;

        /**
         * {@return this source, which gives {@code utf8[from, to)} from now on}
         *
         * @param invalidByte what a byte that is not part of a valid character becomes
         * @param goesOn whether the bytes go on elsewhere; then what may be the beginning of a character is left
         */
        Bytes of(byte[] newUtf8, int from, int to, char invalidByte, boolean goesOn) {
            utf8 = newUtf8;
            position = from;
            end = to;
            invalid = invalidByte;
            more = goesOn;
            return this;
        }

        /** Holds no text any longer. */
        void release() {
            of(NOTHING, 0, 0, REPLACEMENT, false);
        }

        @Override
        public int read(char[] target, int at, int room) {
            int written = at;
            int i = position;
            // A character above U+FFFF takes two chars.
            int limit = at + room - 1;
            while (i < end && written < limit) {
                int b = utf8[i];
                if (b >= 0) {
                    target[written++] = (char) b;
                    i++;
                    continue;
                }
                int length = Utf8.characterLength(utf8, i, end);
                if (length > 0) {
                    written += Character.toChars(Utf8.codePoint(utf8, i, length), target, written);
                    i += length;
                } else if (length == Utf8.UNFINISHED && more) {
                    break;
                } else {
                    target[written++] = invalid;
                    i++;
                }
            }
            position = i;
            return written - at;
        }

        /** {@return how many bytes are left: of an unfinished character, once {@link #read} returns 0} */
        int left() {
            return end - position;
        }

        @Override
        public boolean exhausted() {
            return position == end;
        }
    }
}
