package dev.yangtuo.model;

import java.util.Arrays;

/** A sequence as a list of pages of a {@link KvCache}. */
final class PagedSequence implements Sequence {
    private final KvCache cache;
    private int[] pages = new int[8];
    private int pageCount;
    private int length;
    private int ropeLength;
    private boolean closed;
    /** What is remembered of the first {@code rememberedPages} pages. */
    private PrefixTree.Node remembered;
    private int rememberedPages;

    PagedSequence(KvCache cache) {
        this.cache = cache;
        this.remembered = cache.beginning();
    }

    @Override
    public int length() {
        return length;
    }

    @Override
    public int remaining() {
        return cache.contextLength() - length;
    }

    /** Nothing is copied before one of the two writes into a page that both have. */
    @Override
    public PagedSequence fork(int positions) {
        requireOpen();
        PagedSequence fork = new PagedSequence(cache);
        for (int i = 0; i < pageCount; i++) {
            cache.retain(pages[i]);
        }
        fork.pages = Arrays.copyOf(pages, pages.length);
        fork.pageCount = pageCount;
        fork.length = length;
        fork.ropeLength = ropeLength;
        fork.remembered = remembered;
        fork.rememberedPages = rememberedPages;
        fork.truncate(positions);
        return fork;
    }

    @Override
    public int ropeLength() {
        return ropeLength;
    }

    @Override
    public void ropeLength(int length) {
        if (length < 0 || length > cache.contextLength()) {
            throw new IllegalArgumentException("a prompt of %d tokens does not fit the context of %d".formatted(length, cache.contextLength()));
        }
        ropeLength = length;
    }

    @Override
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

    @Override
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

    @Override
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

    @Override
    public void remember(int[] tokens) {
        int positions = cache.pagePositions();
        while ((rememberedPages + 1) * positions <= length) {
            remembered = cache.remember(remembered, tokens, rememberedPages * positions, pages[rememberedPages]);
            pages[rememberedPages++] = remembered.page();
        }
    }

    @Override
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
