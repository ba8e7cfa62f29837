package dev.yangtuo.tokenizer;

/** From places in chars to places in bytes of the same text; asked from the left to the right. Used by one thread. */
abstract sealed class TextPlaces {
    private int chars;
    private int bytes;

    static TextPlaces of(CharSequence text) {
        return new OfChars(text);
    }

    static TextPlaces of(byte[] utf8) {
        return new OfBytes(utf8);
    }

    /** {@return the bytes before a char} Not less than at the call before. */
    final int bytesBefore(int charIndex) {
        while (chars < charIndex) {
            step();
        }
        return bytes;
    }

    /** {@return the length of the text in chars} */
    abstract int chars();

    /** {@return the length of the text in bytes} */
    final int bytes() {
        return bytesBefore(chars());
    }

    /** Passes over a character. */
    abstract void step();

    final void pass(int moreChars, int moreBytes) {
        chars += moreChars;
        bytes += moreBytes;
    }

    final int charsPassed() {
        return chars;
    }

    final int bytesPassed() {
        return bytes;
    }

    private static final class OfChars extends TextPlaces {
        private final CharSequence text;

        OfChars(CharSequence text) {
            this.text = text;
        }

        @Override
        int chars() {
            return text.length();
        }

        @Override
        void step() {
            int codePoint = Character.codePointAt(text, charsPassed());
            boolean half = Character.charCount(codePoint) == 1 && Character.isSurrogate((char) codePoint);
            pass(Character.charCount(codePoint), half ? 3 : codePoint < 0x80 ? 1 : codePoint < 0x800 ? 2 : codePoint < 0x10000 ? 3 : 4);
        }
    }

    private static final class OfBytes extends TextPlaces {
        private final byte[] utf8;

        OfBytes(byte[] utf8) {
            this.utf8 = utf8;
        }

        @Override
        int chars() {
            while (bytesPassed() < utf8.length) {
                step();
            }
            return charsPassed();
        }

        @Override
        void step() {
            int length = Utf8.characterLength(utf8, bytesPassed(), utf8.length);
            pass(length == 4 ? 2 : 1, Math.max(1, length));
        }
    }
}
