package dev.yangtuo.tokenizer;

import java.nio.charset.StandardCharsets;
import java.util.EnumSet;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Leaves the cutting into pieces to a function ({@link ForeignModel.Cutting}). A long text is given to it in parts where the model allows that: each ends before a
 * line feed that follows a letter or a digit. What of the text each piece stands for is found by its bytes; a piece that is written in another way than the text,
 * as where a model knows lower case only, takes what is before the next one that is found, or nothing.
 */
final class ForeignEncoder implements Encoder {
    /** Chars of a part, where there is a place to cut. */
    private static final int PART = 1 << 13;
    /** Bytes in which a piece is looked for that does not stand where the one before ended. */
    private static final int LOOKAHEAD = 64;

    private final ForeignModel model;
    /** Finds control pieces; null where there is none. */
    private final @Nullable PieceMatcher controls;

    ForeignEncoder(ForeignModel model) {
        this.model = model;
        this.controls = PieceMatcher.of(model, EnumSet.of(PieceType.CONTROL));
    }

    @Override
    public Encoder.Worker newWorker() {
        return new Worker();
    }

    private final class Worker implements Encoder.Worker {
        @Override
        public void begin() {
            // Nothing is remembered of a text.
        }

        @Override
        public int encode(char[] text, int from, int to, boolean last, TokenBuffer target) {
            int at = from;
            while (at < to) {
                int end = partEnd(text, at, to, last);
                if (Math.max(end, last ? end : to) - at > ForeignModel.MAX_PART_CHARS) {
                    throw new IllegalArgumentException("the text has more than %d chars that %s's tokenizer cannot be given in parts; cut it into shorter texts".formatted(
                            ForeignModel.MAX_PART_CHARS, model.source()));
                }
                if (end == at) {
                    return at;
                }
                encodePart(text, at, end, target);
                at = end;
            }
            return at;
        }

        @Override
        public void trim() {
            // No array is kept.
        }
    }

    /** {@return where the next part ends, {@code from} if that is not known yet} */
    private int partEnd(char[] text, int from, int to, boolean last) {
        int rest = last ? to : from;
        if (!model.rules().linesAreApart() || last && to - from <= PART) {
            return rest;
        }
        for (int i = Math.min(to, from + PART) - 1; i > from; i--) {
            if (endsBefore(text, i)) {
                return i;
            }
        }
        for (int i = from + PART; i < to; i++) {
            if (endsBefore(text, i)) {
                return i;
            }
        }
        return rest;
    }

    /** A letter of two chars is not looked for: there is nearly always another place. */
    private static boolean endsBefore(char[] text, int index) {
        return text[index] == '\n' && Character.isLetterOrDigit(text[index - 1]);
    }

    private void encodePart(char[] text, int from, int to, TokenBuffer target) {
        String part = new String(text, from, to - from);
        int[] ids = encodeWithoutControls(part);
        byte[] utf8 = part.getBytes(StandardCharsets.UTF_8);
        int bytesDone = 0;
        int characterStart = 0;
        int charEnd = from;
        for (int i = 0; i < ids.length; i++) {
            bytesDone = i + 1 == ids.length ? utf8.length : endOf(ids[i], utf8, bytesDone);
            while (characterStart < bytesDone && characterStart + characterBytes(utf8[characterStart]) <= bytesDone) {
                int length = characterBytes(utf8[characterStart]);
                characterStart += length;
                charEnd += length == 4 ? 2 : 1;
            }
            target.add(ids[i], charEnd);
        }
    }

    /** Some kinds take a control piece that is written in a text for any other piece. Then the text is cut behind the first character of each of them. */
    private int[] encodeWithoutControls(String text) {
        int[] ids = model.cutting().encode(text);
        if (controls == null || !hasControl(ids)) {
            return ids;
        }
        IntStream.Builder all = IntStream.builder();
        int start = 0;
        for (int i = 0; i < text.length(); i++) {
            if (controls.mayBegin(text.charAt(i)) && controls.match(text, i, text.length()) >= 0) {
                int end = i + Character.charCount(text.codePointAt(i));
                IntStream.of(model.cutting().encode(text.substring(start, end))).forEach(all);
                start = end;
            }
        }
        if (start < text.length()) {
            IntStream.of(model.cutting().encode(text.substring(start))).forEach(all);
        }
        return all.build().filter(id -> model.vocabulary().type(id) != PieceType.CONTROL).toArray();
    }

    private boolean hasControl(int[] ids) {
        for (int id : ids) {
            if (model.vocabulary().type(id) == PieceType.CONTROL) {
                return true;
            }
        }
        return false;
    }

    /** {@return where the text of a piece ends that stands at that place or soon behind it; that place if it is not there} */
    private int endOf(int id, byte[] utf8, int from) {
        int start = model.start(id);
        int length = model.end(id) - start;
        for (int at = from; at < Math.min(utf8.length, from + LOOKAHEAD); at++) {
            if (standsAt(start, length, utf8, at)) {
                return at + length;
            }
            // The space may be the model's own.
            if (model.beginsWithSpace(id) && length > 1 && standsAt(start + 1, length - 1, utf8, at)) {
                return at + length - 1;
            }
        }
        return from;
    }

    private boolean standsAt(int start, int length, byte[] utf8, int at) {
        if (length == 0 || utf8.length - at < length) {
            return false;
        }
        for (int i = 0; i < length; i++) {
            if (utf8[at + i] != model.bytes()[start + i]) {
                return false;
            }
        }
        return true;
    }

    private static int characterBytes(byte first) {
        int value = first & 0xFF;
        return value < 0x80 ? 1 : value < 0xE0 ? 2 : value < 0xF0 ? 3 : 4;
    }
}
