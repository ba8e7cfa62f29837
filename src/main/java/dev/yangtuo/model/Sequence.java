package dev.yangtuo.model;

/**
 * One text in the making: how many of its positions are in the key/value memory, and in which pages. Owns its pages until it is closed;
 * used by one thread at a time.
 */
public final class Sequence implements AutoCloseable {
    private final KvCache cache;
    private final int[] pages;
    private int pageCount;
    private int length;
    private int ropeLength;
    private boolean closed;

    Sequence(KvCache cache) {
        this.cache = cache;
        this.pages = new int[cache.pagesPerSequence()];
    }

    /** Positions computed so far. */
    public int length() {
        return length;
    }

    /** Positions that are left of the context. */
    public int remaining() {
        return cache.contextLength() - length;
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
     * Forgets the positions from {@code newLength} on. Their memory stays with the sequence, for what comes in their place.
     *
     * @param newLength 0 to {@link #length()}
     */
    public void truncate(int newLength) {
        if (newLength < 0 || newLength > length) {
            throw new IllegalArgumentException("a sequence of %d positions cannot be cut to %d".formatted(length, newLength));
        }
        length = newLength;
    }

    /** Makes room for {@code count} further positions; {@link #advance} then counts them. */
    void reserve(int count) {
        if (closed) {
            throw new IllegalStateException("the sequence is closed");
        }
        if (count > remaining()) {
            throw new IllegalArgumentException(
                    "%d tokens after %d do not fit the context of %d".formatted(count, length, cache.contextLength()));
        }
        int needed = Math.ceilDiv(length + count, cache.pagePositions());
        while (pageCount < needed) {
            pages[pageCount++] = cache.takePage();
        }
    }

    void advance(int count) {
        length += count;
    }

    int[] pages() {
        return pages;
    }

    int pageCount() {
        return pageCount;
    }

    /** Gives the pages back; closing twice is harmless. */
    @Override
    public void close() {
        if (!closed) {
            closed = true;
            cache.giveBack(pages, pageCount);
        }
    }
}
