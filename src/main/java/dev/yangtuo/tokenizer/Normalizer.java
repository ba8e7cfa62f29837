package dev.yangtuo.tokenizer;

import org.jspecify.annotations.Nullable;

/**
 * Prepares text for segmentation as SentencePiece's normalizer.cc does, window by window. Immutable, thread-safe; what it remembers of a
 * text stands in the {@link Workspace}.
 *
 * <p>The text is taken prefix by prefix: a user-defined piece, else the longest key of the character map, else one character. A user-defined piece
 * stays as it is, a key becomes its replacement, a byte that is not part of a character becomes U+FFFD. Then spaces: where extra ones are removed,
 * those at the beginning, at the end, and those that a prefix begins with when the one before ended in a space. What is left of them is written
 * U+2581.
 */
final class Normalizer {
    /** U+2581, how pieces write a space. */
    static final char SPACE_SYMBOL = '\u2581';

    private static final int ONE_CHARACTER = 2;

    private final @Nullable CharsMap charsMap;
    private final @Nullable PieceMatcher userDefined;
    private final boolean dummyPrefix;
    private final boolean dummySuffix;
    private final boolean removeExtraWhitespaces;
    private final char space;
    /** Chars that must be known to tell where a prefix ends. */
    private final int lookahead;

    private Normalizer(@Nullable CharsMap charsMap, @Nullable PieceMatcher userDefined, NormalizerSpec spec, boolean whitespaceAsSuffix) {
        this.charsMap = charsMap;
        this.userDefined = userDefined;
        this.dummyPrefix = spec.addDummyPrefix() && !whitespaceAsSuffix;
        this.dummySuffix = spec.addDummyPrefix() && whitespaceAsSuffix;
        this.removeExtraWhitespaces = spec.removeExtraWhitespaces();
        this.space = spec.escapeWhitespaces() ? SPACE_SYMBOL : ' ';
        this.lookahead = Math.max(ONE_CHARACTER, Math.max(charsMap == null ? 0 : charsMap.longestKey(),
                userDefined == null ? 0 : userDefined.longest()));
    }

    /** {@return what the model says; byte-level models leave text as it is} */
    static Normalizer of(TokenizerModel model, @Nullable PieceMatcher userDefined) {
        if (model instanceof SentencePieceModel sentencePiece) {
            NormalizerSpec spec = sentencePiece.normalizer();
            return new Normalizer(CharsMap.of(model.source(), spec.precompiledCharsmap()), userDefined, spec,
                    sentencePiece.treatWhitespaceAsSuffix());
        }
        return new Normalizer(null, null, new NormalizerSpec("none", new byte[0], false, false, false), false);
    }

    /** Text stays as it is but for the form of spaces; prefixes need not be looked at. */
    private boolean isPlain() {
        return charsMap == null && !removeExtraWhitespaces;
    }

    /** {@return what a source of text should give for a byte that is not part of a character} */
    char invalidByte() {
        return isPlain() ? TextSource.REPLACEMENT : TextSource.INVALID_BYTE;
    }

    /**
     * Normalizes what is in {@link Workspace#raw} as far as it can be decided.
     *
     * @param last whether the text ends there
     */
    void normalize(Workspace work, boolean last) {
        if (isPlain()) {
            copy(work);
        } else {
            if (!work.begun) {
                skipLeadingSpaces(work, last);
            }
            copyPrefixes(work, last);
        }
        if (last) {
            end(work);
        } else {
            settle(work);
        }
    }

    private void copy(Workspace work) {
        int count = work.rawTo - work.rawFrom;
        if (count == 0) {
            return;
        }
        begin(work);
        work.makeTextRoom(count);
        char[] raw = work.raw;
        char[] text = work.text;
        int from = work.rawFrom;
        int at = work.textTo;
        for (int i = 0; i < count; i++) {
            char c = raw[from + i];
            text[at + i] = c == ' ' ? space : c;
        }
        int[] origins = work.origins;
        if (origins != null) {
            for (int i = 0; i < count; i++) {
                origins[at + i] = work.origin(from + i);
            }
        }
        work.textTo = at + count;
        work.rawFrom = work.rawTo;
    }

    /** Writes the dummy space before the first thing that is written. A text of nothing but removable spaces gets none. */
    private void begin(Workspace work) {
        if (!work.begun) {
            work.begun = true;
            work.afterSpace = removeExtraWhitespaces;
            if (dummyPrefix) {
                work.makeTextRoom(1);
                work.write(space, work.origin(work.rawFrom));
            }
        }
    }

    /** Whether there is a prefix, and enough behind it to know it. */
    private boolean hasPrefix(Workspace work, boolean last) {
        int left = work.rawTo - work.rawFrom;
        return last ? left > 0 : left >= lookahead;
    }

    private void skipLeadingSpaces(Workspace work, boolean last) {
        while (removeExtraWhitespaces && hasPrefix(work, last)) {
            long prefix = prefix(work);
            int length = (int) prefix;
            int replacement = (int) (prefix >> Integer.SIZE);
            boolean isSpace = replacement < 0
                    ? length == 1 && work.raw[work.rawFrom] == ' '
                    : charsMap.isSpace(replacement);
            if (!isSpace) {
                return;
            }
            work.rawFrom += length;
        }
    }

    private void copyPrefixes(Workspace work, boolean last) {
        while (hasPrefix(work, last)) {
            begin(work);
            int from = work.rawFrom;
            long prefix = prefix(work);
            int length = (int) prefix;
            int replacement = (int) (prefix >> Integer.SIZE);
            int start = work.textTo;
            if (replacement >= 0) {
                work.makeTextRoom(charsMap.replacementBytes(replacement));
                writeReplacement(work, replacement, work.origin(from));
            } else {
                work.makeTextRoom(length);
                writeRaw(work, from, from + length);
            }
            // An empty prefix, or one that was nothing but swallowed spaces, changes nothing.
            if (work.textTo > start) {
                work.afterSpace = removeExtraWhitespaces && endsInSpace(work, replacement, from + length);
            }
            work.rawFrom = from + length;
        }
    }

    /** Whether what was just written ended in a space; one that was written as U+2581 in the text itself is none. */
    private boolean endsInSpace(Workspace work, int replacement, int rawEnd) {
        return replacement < 0 ? work.raw[rawEnd - 1] == ' ' : charsMap.endsInSpace(replacement);
    }

    private void writeRaw(Workspace work, int from, int to) {
        int origin = work.origin(from);
        int i = from;
        while (work.afterSpace && i < to && work.raw[i] == ' ') {
            i++;
        }
        if (to - from == 1 && Character.isLowSurrogate(work.raw[from])) {
            work.write(TextSource.REPLACEMENT, origin); // see TextSource.INVALID_BYTE
            return;
        }
        for (; i < to; i++) {
            char c = work.raw[i];
            work.write(c == ' ' ? space : c, origin);
        }
    }

    private void writeReplacement(Workspace work, int replacement, int origin) {
        int start = work.textTo;
        int end = charsMap.copy(replacement, work.text, start);
        int from = start;
        while (work.afterSpace && from < end && work.text[from] == ' ') {
            from++;
        }
        // Written over itself, as spaces at its beginning may be gone.
        for (int i = from; i < end; i++) {
            char c = work.text[i];
            work.write(c == ' ' ? space : c, origin);
        }
    }

    /** {@return {@code replacement << 32 | chars} of the prefix at {@code rawFrom}; the replacement is -1 where the chars stay} */
    private long prefix(Workspace work) {
        char[] raw = work.raw;
        int from = work.rawFrom;
        char c = raw[from];
        int length = -1;
        if (userDefined != null && userDefined.mayBegin(c)) {
            int id = userDefined.match(raw, from, work.rawTo);
            length = id < 0 ? -1 : userDefined.length(id);
        }
        if (length < 0 && charsMap != null && charsMap.mayBegin(c)) {
            long match = charsMap.match(raw, from, work.rawTo);
            if (match >= 0) {
                return match;
            }
        }
        if (length < 0) {
            length = Character.isHighSurrogate(c) ? ONE_CHARACTER : 1;
        }
        return -1L << Integer.SIZE | length;
    }

    /** Spaces at the end go if nothing follows them. */
    private void settle(Workspace work) {
        int settled = work.textTo;
        if (removeExtraWhitespaces) {
            while (settled > work.textSettled && work.text[settled - 1] == space) {
                settled--;
            }
        }
        work.textSettled = settled;
    }

    private void end(Workspace work) {
        int consumed = work.origin(work.rawTo);
        if (removeExtraWhitespaces) {
            while (work.textTo > work.textFrom && work.text[work.textTo - 1] == space) {
                work.textTo--;
                consumed = work.origins == null ? consumed : work.origins[work.textTo];
            }
        }
        work.makeTextRoom(1);
        if (dummySuffix && work.begun) {
            work.write(space, consumed);
        }
        if (work.origins != null) {
            work.origins[work.textTo] = consumed;
        }
    }
}
