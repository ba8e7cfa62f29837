package dev.yangtuo.tokenizer;

import dev.yangtuo.exception.TokenizerFormatException;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Finds pieces of some types in text, the longest first; a trie over UTF-16. User-defined pieces are asked for twice, as in SentencePiece:
 * while a text is normalized, and again on the normalized text when that is split into symbols. Immutable after construction, thread-safe.
 */
final class PieceMatcher {
    private static final int ROOT = 0;

    /** Real vocabularies need a few thousand; bounds what a prepared file can cost. */
    private static final int MAX_NODES = 1 << 22;

    /** Longest piece, in chars: each position of a text may cost as many steps. */
    private static final int MAX_CHARS = 1024;

    private final Vocabulary vocabulary;
    /** (node << 16 | char) to child node. */
    private final LongIntMap children = new LongIntMap(64);
    /** Node to the id of the piece that ends there. */
    private final LongIntMap ends = new LongIntMap(16);
    /** One bit for each char that a piece begins with, [65536 / 64]. */
    private final long[] firstChars = new long[0x10000 / Long.SIZE];
    private int nodes = 1;
    private int longest;

    private PieceMatcher(Vocabulary vocabulary) {
        this.vocabulary = vocabulary;
    }

    /**
     * {@return a matcher of the pieces of some types, or null where there is none}
     *
     * @param model whose pieces; errors begin with its source
     * @param types those to find, {@link PieceType#NORMAL} not among them
     * @throws TokenizerFormatException if a piece, or all together, are too long
     */
    static @Nullable PieceMatcher of(TokenizerModel model, Set<PieceType> types) {
        Vocabulary vocabulary = model.vocabulary();
        int left = 0;
        for (PieceType type : types) {
            left += vocabulary.count(type);
        }
        if (left == 0) {
            return null;
        }
        PieceMatcher matcher = new PieceMatcher(vocabulary);
        byte[] numbers = vocabulary.types();
        for (int id = 0; left > 0; id++) {
            if (numbers[id] != Vocabulary.NORMAL && types.contains(vocabulary.type(id))) {
                matcher.add(model, id);
                left--;
            }
        }
        return matcher;
    }

    private void add(TokenizerModel model, int id) {
        String piece = vocabulary.piece(id);
        if (piece.length() > MAX_CHARS) {
            throw new TokenizerFormatException(model.source(), "piece %d of type %s has %d characters, more than the %d that are supported"
                    .formatted(id, vocabulary.type(id), piece.length(), MAX_CHARS));
        }
        add(piece, id);
        if (nodes > MAX_NODES) {
            throw new TokenizerFormatException(model.source(), "the pieces of type %s up to piece %d are longer than %d characters together"
                    .formatted(vocabulary.type(id), id, MAX_NODES));
        }
    }

    private void add(String piece, int id) {
        int node = ROOT;
        for (int i = 0; i < piece.length(); i++) {
            long key = (long) node << Character.SIZE | piece.charAt(i);
            int child = children.get(key);
            if (child < 0) {
                child = nodes++;
                children.put(key, child);
            }
            node = child;
        }
        ends.put(node, id);
        char first = piece.charAt(0);
        firstChars[first >> 6] |= 1L << first;
        longest = Math.max(longest, piece.length());
    }

    /** {@return the length of the longest piece, in chars} */
    int longest() {
        return longest;
    }

    /** {@return the length of a piece, in chars} */
    int length(int id) {
        return vocabulary.piece(id).length();
    }

    /** Whether a piece begins with that char. */
    boolean mayBegin(char c) {
        return (firstChars[c >> 6] & 1L << c) != 0;
    }

    /**
     * {@return the first place from {@code from} on where a piece begins, or one could once text behind {@code to} is known; {@code to} if
     * there is none}
     *
     * @param last whether there is no text behind {@code to}
     */
    int find(char[] text, int from, int to, boolean last) {
        for (int i = from; i < to; i++) {
            if (mayBegin(text[i]) && (!last && isOpen(text, i, to) || match(text, i, to) >= 0)) {
                return i;
            }
        }
        return to;
    }

    /** Whether {@code text[from, to)} is how some piece begins, so that more text can decide which piece is the longest. */
    boolean isOpen(char[] text, int from, int to) {
        int node = ROOT;
        for (int i = from; i < to && node >= 0; i++) {
            node = children.get((long) node << Character.SIZE | text[i]);
        }
        return node >= 0;
    }

    /**
     * {@return the id of the longest piece that {@code text[from, to)} begins with, or -1}
     *
     * @param from a character boundary; then the match ends at one too, since pieces hold no half surrogate pairs
     */
    int match(char[] text, int from, int to) {
        int node = ROOT;
        int id = -1;
        for (int i = from; i < to; i++) {
            node = children.get((long) node << Character.SIZE | text[i]);
            if (node < 0) {
                break;
            }
            int end = ends.get(node);
            id = end >= 0 ? end : id;
        }
        return id;
    }

    /**
     * {@return the id of the longest piece that begins at {@code from} and ends before {@code to}, or -1}
     *
     * @param from a character boundary
     */
    int match(CharSequence text, int from, int to) {
        int node = ROOT;
        int id = -1;
        for (int i = from; i < to; i++) {
            node = children.get((long) node << Character.SIZE | text.charAt(i));
            if (node < 0) {
                break;
            }
            int end = ends.get(node);
            id = end >= 0 ? end : id;
        }
        return id;
    }
}
