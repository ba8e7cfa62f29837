package dev.yangtuo.tokenizer;

import dev.yangtuo.exception.TokenizerFormatException;
import java.nio.file.Path;
import java.util.List;

/**
 * A tokenizer that another program encodes with: its vocabulary and the bytes of its pieces are known here, so that everything but the cutting of text into pieces
 * is done as with the other models; the cutting is a function. Immutable; thread-safe as far as the function is.
 */
public final class ForeignModel implements TokenizerModel {
    /** Longest text, in chars, that the function is given at once; what it needs for that must be bounded, too. */
    public static final int MAX_PART_CHARS = 1 << 18;

    /** Cuts text into pieces. */
    @FunctionalInterface
    public interface Cutting {
        /**
         * {@return the ids of a text; nothing is added. Control pieces that are written in it should not be recognized; where they are, the text is given again in
         * parts}
         *
         * @param text of 1 to {@value #MAX_PART_CHARS} chars, without half surrogate pairs
         */
        int[] encode(String text);
    }

    /**
     * How a model treats spaces and lines.
     *
     * @param dropsFirstSpace whether a space that the first piece of a text begins with is none of the text
     * @param linesAreApart whether a letter or a digit and a line feed behind it are never in one piece, nor decide how anything beyond the other is cut, so that
     *     a long text can be encoded in parts
     */
    public record Rules(boolean dropsFirstSpace, boolean linesAreApart) {}

    private final Path source;
    private final Vocabulary vocabulary;
    /** What the pieces are as text, one after the other. */
    private final byte[] bytes;
    /** Where the bytes of each piece end, int32, [pieces]. */
    private final int[] ends;
    private final SpecialTokens special;
    private final Rules rules;
    private final Cutting cutting;

    /**
     * Makes a model.
     *
     * @param source the file that it comes from; error messages begin with it
     * @param vocabulary the pieces; those of type BYTE must be {@code <0x00>} to {@code <0xFF>} as everywhere
     * @param bytes what each piece adds to a text, as many; a piece may be a part of a character. Those of control pieces and of the unknown piece do not matter
     * @param special the ids of special tokens
     * @param cutting called by any number of threads
     * @throws TokenizerFormatException if these do not fit each other, or the bytes are more than an array holds
     */
    public ForeignModel(Path source, Vocabulary vocabulary, List<byte[]> bytes, SpecialTokens special, Rules rules, Cutting cutting) {
        if (bytes.size() != vocabulary.size()) {
            throw new TokenizerFormatException(source, "%d pieces, but %d texts; there must be one for each".formatted(vocabulary.size(), bytes.size()));
        }
        special.check(source, vocabulary);
        this.source = source;
        this.vocabulary = vocabulary;
        this.special = special;
        this.rules = rules;
        this.cutting = cutting;
        this.ends = new int[bytes.size()];
        long total = 0;
        for (int id = 0; id < ends.length; id++) {
            total += bytes.get(id).length;
            if (total > Integer.MAX_VALUE - Long.BYTES) {
                throw new TokenizerFormatException(source, "the pieces up to piece %d have more than %d bytes together".formatted(id, Integer.MAX_VALUE));
            }
            ends[id] = (int) total;
        }
        this.bytes = new byte[(int) total];
        for (int id = 0; id < ends.length; id++) {
            System.arraycopy(bytes.get(id), 0, this.bytes, start(id), bytes.get(id).length);
        }
    }

    @Override
    public Path source() {
        return source;
    }

    @Override
    public Vocabulary vocabulary() {
        return vocabulary;
    }

    @Override
    public SpecialTokens special() {
        return special;
    }

    Rules rules() {
        return rules;
    }

    Cutting cutting() {
        return cutting;
    }

    /** {@return where the bytes of a piece begin in {@link #bytes}} */
    int start(int id) {
        return id == 0 ? 0 : ends[id - 1];
    }

    /** {@return where they end} */
    int end(int id) {
        return ends[id];
    }

    /** {@return the bytes of all pieces, for reading} */
    byte[] bytes() {
        return bytes;
    }

    /** {@return whether a piece begins with a space} */
    boolean beginsWithSpace(int id) {
        return start(id) < ends[id] && bytes[start(id)] == ' ';
    }
}
