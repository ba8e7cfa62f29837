package dev.yangtuo.model;

import java.util.Arrays;

/**
 * One text in the making: how many of its positions are in the key/value memory, and in which pages. Owns its pages, some of them together with others, until it is
 * closed; used by one thread at a time.
 */
public final class Sequence implements AutoCloseable {
    private final KvCache cache;
    private int[] pages = new int[8];
    private int pageCount;
    private int length;
    private int ropeLength;
    private boolean closed;
    /** What is remembered of the first {@code rememberedPages} pages. */
    private PrefixTree.Node remembered;
    private int rememberedPages;

    Sequence(KvCache cache) {
        this.cache = cache;
        this.remembered = cache.beginning();
    }

    /** Positions computed so far. */
    public int length() {
        return length;
    }

    /** Positions that are left of the context. */
    public int remaining() {
        return cache.contextLength() - length;
    }

    /** Another sequence with the same positions. Both go on on their own; nothing is copied before one of them writes into a page that both have. */
    public Sequence fork() {
        requireOpen();
        Sequence fork = new Sequence(cache);
        for (int i = 0; i < pageCount; i++) {
            cache.retain(pages[i]);
        }
        fork.pages = Arrays.copyOf(pages, pages.length);
        fork.pageCount = pageCount;
        fork.length = length;
        fork.ropeLength = ropeLength;
        fork.remembered = remembered;
        fork.rememberedPages = rememberedPages;
        return fork;
    }

    /** What {@link #ropeLength(int)} was last told; 0 until then. */
    public int ropeLength() {
        return ropeLength;
    }

    /**
     * Says how long the prompt is, before it is computed. Only dynamic NTK (a RoPE scaling whose angles depend on the length of the text) asks for it:
     * the angles of a position p are those of a text of {@code max(p + 1, length)} tokens, so that they do not depend on how the prompt is cut into
     * forward passes. It holds for the positions that are computed from then on. Of such a model, keys and values can stand for the same tokens of another
     * sequence only if both have the same length here.
     *
     * @param length of the prompt, 0 to the context; 0 if it is not known
     */
    public void ropeLength(int length) {
        if (length < 0 || length > cache.contextLength()) {
            throw new IllegalArgumentException("a prompt of %d tokens does not fit the context of %d".formatted(length, cache.contextLength()));
        }
        ropeLength = length;
    }

    /**
     * Forgets the positions from {@code newLength} on, and gives back the pages that held no others.
     *
     * @param newLength 0 to {@link #length()}
     */
    public void truncate(int newLength) {
        if (newLength < 0 || newLength > length) {
            throw new IllegalArgumentException("a sequence of %d positions cannot be cut to %d".formatted(length, newLength));
        }
        length = newLength;
        int needed = KvCache.pagesFor(newLength);
        while (pageCount > needed) {
            cache.release(pages[--pageCount]);
        }
        while (rememberedPages > newLength / cache.pagePositions()) {
            remembered = remembered.before();
            rememberedPages--;
        }
    }

    /** Pages that {@code count} further positions need beside those that it has. */
    public int pagesNeeded(int count) {
        int more = KvCache.pagesFor(length + count) - pageCount;
        return more + (count > 0 && writesSharedPage() ? 1 : 0);
    }

    private boolean writesSharedPage() {
        int index = length / cache.pagePositions();
        return index < pageCount && cache.isShared(pages[index]);
    }

    /**
     * Makes room for {@code count} further positions; {@link #advance} then counts them.
     *
     * @throws KvMemoryException if there is not enough memory; what it has got already stays with it
     */
    void reserve(int count) {
        requireOpen();
        if (count > remaining()) {
            throw new IllegalArgumentException(
                    "%d tokens after %d do not fit the context of %d".formatted(count, length, cache.contextLength()));
        }
        if (count > 0 && writesSharedPage()) {
            int index = length / cache.pagePositions();
            pages[index] = cache.own(pages[index]);
        }
        int needed = KvCache.pagesFor(length + count);
        while (pageCount < needed) {
            append(cache.takePage());
        }
    }

    /** {@link #reserve}, but false where there is not enough memory. */
    public boolean tryReserve(int count) {
        try {
            reserve(count);
            return true;
        } catch (KvMemoryException e) {
            return false;
        }
    }

    private void append(int page) {
        if (pageCount == pages.length) {
            pages = Arrays.copyOf(pages, pageCount * 2);
        }
        pages[pageCount++] = page;
    }

    /** Takes over a page that is remembered, of which one ownership is this sequence's. */
    void appendKnown(PrefixTree.Node node, int positions) {
        append(node.page());
        length += positions;
        remembered = node;
        rememberedPages++;
    }

    /** Takes over a page of its own with some positions. */
    void appendOwn(int page, int positions) {
        append(page);
        length += positions;
    }

    void advance(int count) {
        length += count;
    }

    /**
     * Lets texts that begin like this one find its full pages.
     *
     * @param tokens the tokens of its positions, at least {@link #length()}
     */
    public void remember(int[] tokens) {
        int positions = cache.pagePositions();
        while ((rememberedPages + 1) * positions <= length) {
            remembered = cache.remember(remembered, tokens, rememberedPages * positions, pages[rememberedPages]);
            pages[rememberedPages++] = remembered.page();
        }
    }

    /**
     * The same for a sequence that ends: its last page, too. Nothing can be appended to it any more.
     *
     * @param tokens the tokens of its positions, at least {@link #length()}
     */
    public void rememberEnd(int[] tokens) {
        remember(tokens);
        int offset = rememberedPages * cache.pagePositions();
        if (offset < length) {
            cache.rememberEnd(remembered, tokens, offset, length, pages[rememberedPages]);
        }
        close();
    }

    int[] pages() {
        return pages;
    }

    int pageCount() {
        return pageCount;
    }

    private void requireOpen() {
        if (closed) {
            throw new IllegalStateException("the sequence is closed");
        }
    }

    /** Gives the pages back; closing twice is harmless. */
    @Override
    public void close() {
        if (!closed) {
            closed = true;
            for (int i = 0; i < pageCount; i++) {
                cache.release(pages[i]);
            }
            pageCount = 0;
        }
    }
}
