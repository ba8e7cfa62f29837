package dev.yangtuo.model;

import dev.yangtuo.exception.DeviceException;
import dev.yangtuo.kernel.KvPool;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The key/value memory of a model, cut into pages that sequences take as they grow and give back when they end. A page may belong to several sequences, with a common
 * beginning, and to the {@link PrefixTree}, which remembers what pages hold: such a page is never written; who must write into it takes a copy. Pages that only the
 * tree has are given up when others are needed. Memory is used only as positions are written. Thread-safe.
 */
final class KvCache implements AutoCloseable {
    private static final Logger LOGGER = System.getLogger(KvCache.class.getName());
    /** Positions of a page: small enough to waste little, large enough that the page table stays short. */
    static final int PAGE_POSITIONS = 64;
    /** Of the pages, the tree alone may keep this share. */
    private static final int REMEMBERED_SHARE = 2;

    private final KvPool pool;
    private final int contextLength;
    private final PrefixTree tree = new PrefixTree(PAGE_POSITIONS);
    /** Free pages, a stack: the first {@code freeCount} are valid. */
    private final int[] freePages;
    /** How often each page is owned, by sequences and by the tree. */
    private final int[] owners;
    private final boolean[] inTree;

    private int freeCount;
    /** Pages that only the tree owns. */
    private int unusedInTree;

    /**
     * @param pool with pages of {@link #PAGE_POSITIONS}, at least as many as a sequence of the whole context needs; is closed with this
     * @param contextLength positions that a sequence can have
     */
    KvCache(KvPool pool, int contextLength) {
        this.pool = pool;
        this.contextLength = contextLength;
        int pages = pool.shape().pages();
        if (pages < pagesPerSequence()) {
            throw new IllegalArgumentException("a context of %d needs %d pages of keys and values, there are %d"
                    .formatted(contextLength, pagesPerSequence(), pages));
        }
        freePages = new int[pages];
        for (int i = 0; i < pages; i++) {
            freePages[i] = pages - 1 - i;
        }
        freeCount = pages;
        owners = new int[pages];
        inTree = new boolean[pages];
    }

    /** Pages of {@code contextLength} positions. */
    static int pagesFor(int contextLength) {
        return Math.ceilDiv(contextLength, PAGE_POSITIONS);
    }

    KvPool pool() {
        return pool;
    }

    /** Positions that a sequence can have. */
    int contextLength() {
        return contextLength;
    }

    int pagesPerSequence() {
        return pagesFor(contextLength);
    }

    int pagePositions() {
        return PAGE_POSITIONS;
    }

    /** Pages of the pool. */
    int pageCount() {
        return owners.length;
    }

    /** Pages that can be had: free ones, and those that only the memory of earlier texts holds. */
    synchronized int availablePages() {
        return freeCount + unusedInTree;
    }

    /** Opens an empty sequence. */
    PagedSequence open() {
        return new PagedSequence(this);
    }

    /**
     * Opens a sequence with as much of a text as is known: whole pages, and a copy of one of which the beginning fits.
     *
     * @param end the sequence gets at most the first {@code end} tokens
     */
    synchronized PagedSequence open(int[] tokens, int end) {
        PagedSequence sequence = new PagedSequence(this);
        PrefixTree.Node node = tree.root();
        int known = 0;
        for (PrefixTree.Node next = tree.find(node, tokens, 0, end); next != null; next = tree.find(node, tokens, known, end)) {
            node = next;
            retain(node.page());
            sequence.appendKnown(node, PAGE_POSITIONS);
            known += PAGE_POSITIONS;
        }
        PrefixTree.Node partial = tree.findBeginning(node, tokens, known, end);
        if (partial != null && freeCount > 0) {
            int copy = takePage();
            copy(partial.page(), copy);
            sequence.appendOwn(copy, PrefixTree.commonTokens(partial, tokens, known, end));
        }
        return sequence;
    }

    /** How many tokens of a text's beginning {@link #open(int[], int)} would find in whole pages. */
    synchronized int knownTokens(int[] tokens, int end) {
        PrefixTree.Node node = tree.root();
        int known = 0;
        for (PrefixTree.Node next = tree.find(node, tokens, 0, end); next != null; next = tree.find(node, tokens, known, end)) {
            node = next;
            known += PAGE_POSITIONS;
        }
        return known;
    }

    /**
     * Remembers the next full page of a sequence, behind those remembered before. Where another sequence had computed the same, its page takes the place of this one:
     * what they hold is the same, bit for bit.
     *
     * @param behind the node of the pages before it
     * @return the node, and with it the page that the sequence has from now on
     */
    synchronized PrefixTree.Node remember(PrefixTree.Node behind, int[] tokens, int offset, int page) {
        PrefixTree.Node known = tree.find(behind, tokens, offset, offset + PAGE_POSITIONS);
        if (known != null) {
            retain(known.page());
            release(page);
            return known;
        }
        return add(behind, tokens, offset, offset + PAGE_POSITIONS, page);
    }

    /**
     * Remembers the last page of a sequence that ends, which is not full, unless another sequence has it, too: a text that goes on from there gets a copy.
     *
     * @param behind the node of the pages before it
     * @param end where the text ends, fewer than a page's positions behind {@code offset}
     * @param page stays the sequence's, too, and must not be written any more
     */
    synchronized void rememberEnd(PrefixTree.Node behind, int[] tokens, int offset, int end, int page) {
        PrefixTree.Node known = tree.findBeginning(behind, tokens, offset, end);
        boolean isKnown = known != null && PrefixTree.commonTokens(known, tokens, offset, end) == end - offset;
        if (!isKnown && !isShared(page)) {
            add(behind, tokens, offset, end, page);
        }
    }

    private PrefixTree.Node add(PrefixTree.Node behind, int[] tokens, int offset, int end, int page) {
        while (forget(tree.evictBeginning(behind, tokens, offset, end, this::isUnused))) {
            // What was remembered where the text was shorter is in the new page.
        }
        inTree[page] = true;
        owners[page]++;
        while (unusedInTree > owners.length / REMEMBERED_SHARE && evict()) {
            // The oldest go.
        }
        return tree.add(behind, tokens, offset, end, page);
    }

    PrefixTree.Node beginning() {
        return tree.root();
    }

    /** A page with one owner. */
    synchronized int takePage() {
        if (freeCount == 0 && !evict()) {
            throw new KvMemoryException("the memory for keys and values is full: all %d pages of %d tokens are in use; finish or close a text, or load the model with more"
                    .formatted(owners.length, PAGE_POSITIONS));
        }
        int page = freePages[--freeCount];
        owners[page] = 1;
        return page;
    }

    private boolean evict() {
        return unusedInTree > 0 && forget(tree.evict(this::isUnused));
    }

    private boolean isUnused(int page) {
        return owners[page] == 1;
    }

    /** Frees the page of a node that the tree no longer has. False if there is none. */
    private boolean forget(PrefixTree.@Nullable Node node) {
        if (node == null) {
            return false;
        }
        inTree[node.page()] = false;
        unusedInTree--;
        owners[node.page()] = 0;
        freePages[freeCount++] = node.page();
        return true;
    }

    /** One owner more. */
    synchronized void retain(int page) {
        if (inTree[page] && owners[page] == 1) {
            unusedInTree--;
        }
        owners[page]++;
    }

    /** One owner less. */
    synchronized void release(int page) {
        owners[page]--;
        if (inTree[page] && owners[page] == 1) {
            unusedInTree++;
        } else if (owners[page] == 0) {
            freePages[freeCount++] = page;
        }
    }

    /** Whether a page has other owners and must not be written. */
    synchronized boolean isShared(int page) {
        return owners[page] > 1;
    }

    /** A page of the same contents, owned in place of the shared one. */
    synchronized int own(int page) {
        int copy = takePage();
        copy(page, copy);
        release(page);
        return copy;
    }

    /** A device that fails has lost all pages, and says so to the next pass: who only takes memory for a text need not end for it. */
    private void copy(int from, int to) {
        try {
            pool.copyPage(from, to);
        } catch (DeviceException e) {
            LOGGER.log(Level.DEBUG, "a page was not copied", e);
        }
    }

    /** Forgets all that it remembered of texts that have ended. */
    synchronized void forget() {
        while (evict()) {
            // One after the other, children before their parents.
        }
    }

    /** For tests: owners of each page. */
    synchronized int[] owners() {
        return Arrays.copyOf(owners, owners.length);
    }

    @Override
    public void close() {
        pool.close();
    }
}
