package dev.yangtuo.tokenizer;

import dev.yangtuo.exception.TokenizerFormatException;
import java.util.BitSet;
import org.jspecify.annotations.Nullable;

/**
 * Finds user-defined pieces in text, the longest first; a trie over UTF-16. SentencePiece asks it twice: while it normalizes, and again
 * on the normalized text when that is split into symbols. Immutable after construction, thread-safe.
 */
final class UserDefinedMatcher {
    private static final int ROOT = 0;

    /** Real vocabularies need a few thousand; bounds what a prepared file can cost. */
    private static final int MAX_NODES = 1 << 22;

    /** (node << 16 | char) to child node. */
    private final LongIntMap children = new LongIntMap(64);
    /** Node to the id of the piece that ends there. */
    private final LongIntMap ends = new LongIntMap(16);
    /** Chars that some piece begins with. */
    private final BitSet firstChars = new BitSet();
    private int nodes = 1;

    private UserDefinedMatcher() {}

    /** {@return a matcher of the model's user-defined pieces, or null where it has none} */
    static @Nullable UserDefinedMatcher of(TokenizerModel model) {
        Vocabulary vocabulary = model.vocabulary();
        UserDefinedMatcher matcher = new UserDefinedMatcher();
        for (int id = 0; id < vocabulary.size(); id++) {
            if (vocabulary.type(id) == PieceType.USER_DEFINED) {
                matcher.add(vocabulary.piece(id), id);
                if (matcher.nodes > MAX_NODES) {
                    throw new TokenizerFormatException(model.source(),
                            "the user-defined pieces up to piece %d are longer than %d characters together".formatted(id, MAX_NODES));
                }
            }
        }
        return matcher.nodes == 1 ? null : matcher;
    }

    private void add(String piece, int id) {
        firstChars.set(piece.charAt(0));
        int node = ROOT;
        for (int i = 0; i < piece.length(); i++) {
            long key = (long) node << 16 | piece.charAt(i);
            int child = children.get(key);
            if (child < 0) {
                child = nodes++;
                children.put(key, child);
            }
            node = child;
        }
        ends.put(node, id);
    }

    /**
     * {@return the first place from {@code from} on where a piece begins, or one could once text behind {@code to} is known; {@code to} if
     * there is none}
     *
     * @param last whether there is no text behind {@code to}
     */
    int find(char[] text, int from, int to, boolean last) {
        for (int i = from; i < to; i++) {
            if (firstChars.get(text[i]) && (!last && isOpen(text, i, to) || match(text, i, to) >= 0)) {
                return i;
            }
        }
        return to;
    }

    /** Whether {@code text[from, to)} is how some piece begins, so that more text can decide which piece is the longest. */
    boolean isOpen(char[] text, int from, int to) {
        int node = ROOT;
        for (int i = from; i < to && node >= 0; i++) {
            node = children.get((long) node << 16 | text[i]);
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
            node = children.get((long) node << 16 | text[i]);
            if (node < 0) {
                break;
            }
            int end = ends.get(node);
            id = end >= 0 ? end : id;
        }
        return id;
    }
}
