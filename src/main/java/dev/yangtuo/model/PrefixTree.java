package dev.yangtuo.model;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Which pages of keys and values hold which beginnings of texts, so that texts with a common beginning compute it once. A node is one page: the tokens of its
 * positions, after those of its parents. Only a leaf may have fewer tokens than a page has positions: where a text has ended. Not thread-safe; its {@link KvCache}
 * guards it.
 */
final class PrefixTree {
    private final int pagePositions;
    private final Node root = new Node(null, new int[0], -1);
    /** All nodes, the one that was not used for the longest time first; a child always before its parent. */
    private final LinkedHashSet<Node> byUse = new LinkedHashSet<>();

    /** A page and the tokens of its positions. */
    static final class Node {
        private final @Nullable Node parent;
        private final int[] tokens;
        private final int page;
        private final List<Node> children = new ArrayList<>();

        private Node(@Nullable Node parent, int[] tokens, int page) {
            this.parent = parent;
            this.tokens = tokens;
            this.page = page;
        }

        int page() {
            return page;
        }

        /** The node of the page before; only for a node that has a page. */
        Node before() {
            return Objects.requireNonNull(parent);
        }
    }

    PrefixTree(int pagePositions) {
        this.pagePositions = pagePositions;
    }

    /** Where every text begins; it has no page. */
    Node root() {
        return root;
    }

    /** Pages that it knows. */
    int size() {
        return byUse.size();
    }

    /** The node that follows for the tokens from {@code offset} on, if a whole page of them is known; it counts as used. */
    @Nullable Node find(Node node, int[] tokens, int offset, int end) {
        if (offset + pagePositions > end) {
            return null;
        }
        for (Node child : node.children) {
            if (child.tokens.length == pagePositions && commonTokens(child, tokens, offset, end) == pagePositions) {
                use(child);
                return child;
            }
        }
        return null;
    }

    /** The node that follows with the longest common beginning, at least one token; null if there is none. It counts as used. */
    @Nullable Node findBeginning(Node node, int[] tokens, int offset, int end) {
        Node best = null;
        int longest = 0;
        for (Node child : node.children) {
            int common = commonTokens(child, tokens, offset, end);
            if (common > longest) {
                best = child;
                longest = common;
            }
        }
        if (best != null) {
            use(best);
        }
        return best;
    }

    /** How many tokens of a node's page are those from {@code offset} to {@code end - 1}. */
    static int commonTokens(Node node, int[] tokens, int offset, int end) {
        int most = Math.min(node.tokens.length, end - offset);
        int mismatch = Arrays.mismatch(node.tokens, 0, most, tokens, offset, offset + most);
        return mismatch < 0 ? most : mismatch;
    }

    /** Adds a page behind a node that has none for these tokens, 1 to as many as a page has positions. */
    Node add(Node node, int[] tokens, int offset, int end, int page) {
        Node child = new Node(node, Arrays.copyOfRange(tokens, offset, end), page);
        node.children.add(child);
        use(child);
        return child;
    }

    /** Moves a node, and behind it those that it stands on, to the end of the order. */
    private void use(Node node) {
        for (Node at = node; at != root; at = at.before()) {
            byUse.remove(at);
            byUse.add(at);
        }
    }

    /** Forgets the page that was not used for the longest time, of those that nobody else needs; null if there is none. */
    @Nullable Node evict(PageUse use) {
        return forgetFirst(byUse, use);
    }

    /** Forgets a page behind a node that nobody else needs, and that holds a beginning of these tokens and no more; null if there is none. */
    @Nullable Node evictBeginning(Node node, int[] tokens, int offset, int end, PageUse use) {
        return forgetFirst(node.children.stream().filter(child -> commonTokens(child, tokens, offset, end) == child.tokens.length).toList(), use);
    }

    private @Nullable Node forgetFirst(Iterable<Node> nodes, PageUse use) {
        for (Node node : nodes) {
            if (node.children.isEmpty() && use.isUnused(node.page)) {
                byUse.remove(node);
                node.before().children.remove(node);
                return node;
            }
        }
        return null;
    }

    /** Says who needs a page. */
    @FunctionalInterface
    interface PageUse {
        /** Whether no sequence has the page. */
        boolean isUnused(int page);
    }
}
