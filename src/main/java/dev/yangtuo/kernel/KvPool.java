package dev.yangtuo.kernel;

import java.lang.foreign.MemorySegment;

/**
 * Pages of keys and values, shared by all sequences; who owns which page is the caller's affair. How a page's bytes are laid out is the backend's own: they can be
 * put back into a pool of the same shape on a backend of the same kind and version. Not thread-safe: no stage may use a page while it is copied.
 */
public sealed interface KvPool extends AutoCloseable permits DividedKvPool, NativeKvPool, ScalarKvPool {
    /** Its size. */
    KvShape shape();

    /** Bytes that {@link #downloadPage} gives of each page, all layers and heads. */
    long pageBytes();

    /**
     * Makes {@code to} the same as {@code from}.
     *
     * @throws IllegalArgumentException if one of them is not in the pool
     */
    void copyPage(int from, int to);

    /**
     * Reads a page.
     *
     * @param target exactly {@link #pageBytes()} off-heap bytes
     * @throws IllegalArgumentException if the page is not in the pool, or the target has another size
     */
    void downloadPage(int page, MemorySegment target);

    /**
     * Writes a page. Any bytes are accepted: wrong ones make wrong results and nothing worse.
     *
     * @param source exactly {@link #pageBytes()} off-heap bytes, not of a mapped file, which could shrink meanwhile
     * @throws IllegalArgumentException if the page is not in the pool, or the source has another size
     */
    void uploadPage(int page, MemorySegment source);

    /** Frees the memory; closing twice is harmless. */
    @Override
    void close();
}
