package dev.yangtuo.tokenizer;

import java.nio.CharBuffer;
import java.util.BitSet;
import org.jspecify.annotations.Nullable;

/** Takes a text through a {@link Workspace}: read, normalize, encode. Immutable, thread-safe. */
final class Pipeline {
    /** No char of a text; never changed. */
    private static final BitSet NONE = new BitSet();

    private final Normalizer normalizer;
    /** Pieces that are recognized in text only when asked for; null where there is none. */
    private final @Nullable PieceMatcher special;

    Pipeline(Normalizer normalizer, @Nullable PieceMatcher special) {
        this.normalizer = normalizer;
        this.special = special;
    }

    /** Encodes a text of its own. */
    void run(Workspace work, CharSequence text, boolean parseSpecial, boolean withOffsets) {
        work.tokens.clear();
        if (parseSpecial && special != null) {
            runBetweenSpecial(work, text, NONE, NONE, false, withOffsets);
        } else {
            run(work, work.chars.of(text, 0, text.length(), false), 0, withOffsets, false);
        }
    }

    /**
     * Encodes a text of its own in which special pieces are recognized, but for those that have a char in {@code quoted}.
     *
     * @param cuts places that no piece crosses
     */
    void runPrompt(Workspace work, CharSequence text, BitSet quoted, BitSet cuts) {
        work.tokens.clear();
        runBetweenSpecial(work, text, quoted, cuts, false, false);
    }

    /** Encodes a text that goes on: nothing is put before it, and spaces that it begins with stay. */
    void runContinuation(Workspace work, CharSequence text) {
        work.tokens.clear();
        run(work, work.chars.of(text, 0, text.length(), false), 0, false, true);
    }

    /** Encodes a text of its own, given in UTF-8. */
    void run(Workspace work, byte[] utf8, boolean parseSpecial, boolean withOffsets) {
        work.tokens.clear();
        TextSource.Bytes source = work.bytes.of(utf8, 0, utf8.length, normalizer.invalidByte(), false);
        if (parseSpecial && special != null) {
            char[] chars = new char[utf8.length + 2];
            int length = source.read(chars, 0, chars.length);
            runBetweenSpecial(work, CharBuffer.wrap(chars, 0, length), NONE, NONE, true, withOffsets);
        } else {
            run(work, source, 0, withOffsets, false);
        }
    }

    private void runBetweenSpecial(Workspace work, CharSequence text, BitSet quoted, BitSet cuts, boolean keepHalves, boolean withOffsets) {
        int start = 0;
        boolean goesOn = false;
        int i = 0;
        while (i < text.length()) {
            if (cuts.get(i) && i > start) {
                run(work, work.chars.of(text, start, i, keepHalves), start, withOffsets, goesOn);
                start = i;
                goesOn = true;
            }
            int id = special != null && special.mayBegin(text.charAt(i)) ? special.match(text, i, firstQuoted(quoted, i, text.length())) : -1;
            if (id < 0) {
                i++;
                continue;
            }
            run(work, work.chars.of(text, start, i, keepHalves), start, withOffsets, goesOn);
            start = i + special.length(id);
            work.tokens.addMark(id, i, start);
            i = start;
            goesOn = false;
        }
        run(work, work.chars.of(text, start, text.length(), keepHalves), start, withOffsets, goesOn);
    }

    private static int firstQuoted(BitSet quoted, int from, int length) {
        int first = quoted.nextSetBit(from);
        return first < 0 ? length : first;
    }

    private void run(Workspace work, TextSource source, int firstChar, boolean withOffsets, boolean goesOn) {
        work.begin(withOffsets, firstChar);
        if (goesOn) {
            work.begun = true; // so nothing is put before it
            work.afterSpace = false;
        }
        encodeAll(work, source);
    }

    private void encodeAll(Workspace work, TextSource source) {
        while (!source.exhausted()) {
            read(work, source);
            boolean last = source.exhausted();
            normalizer.normalize(work, last);
            work.encode(last);
        }
    }

    /** Encodes what can be encoded of a part of a text. {@link Workspace#begin} came before. */
    void append(Workspace work, TextSource source) {
        while (read(work, source) > 0) {
            normalizer.normalize(work, false);
            work.encode(false);
        }
    }

    /** Encodes the rest of a text that was given in parts. */
    void end(Workspace work) {
        normalizer.normalize(work, true);
        work.encode(true);
    }

    /** Normalizes a whole text, into {@link Workspace#text}. */
    void normalizeAll(Workspace work, CharSequence text) {
        work.tokens.clear();
        work.begin(false, 0);
        TextSource source = work.chars.of(text, 0, text.length(), false);
        while (!source.exhausted()) {
            read(work, source);
            normalizer.normalize(work, source.exhausted());
        }
    }

    char invalidByte() {
        return normalizer.invalidByte();
    }

    private static int read(Workspace work, TextSource source) {
        int room = work.makeRawRoom();
        int count = source.read(work.raw, work.rawTo, room);
        work.rawTo += count;
        return count;
    }
}
