package dev.yangtuo.model;

import dev.yangtuo.kernel.Backend;
import dev.yangtuo.kernel.KvPool;
import dev.yangtuo.kernel.KvShape;
import dev.yangtuo.tensor.TensorType;

/**
 * The key/value memory of a model, cut into pages that sequences take as they grow and give back when they end. Large enough for
 * {@code maxSequences} sequences of {@code contextLength} positions; memory is used only as positions are written. Thread-safe.
 */
final class KvCache implements AutoCloseable {
    /** Positions of a page: small enough to waste little, large enough that the page table stays short. */
    private static final int PAGE_POSITIONS = 64;

    private final KvPool pool;
    private final int contextLength;
    private final int maxSequences;
    /** Free pages, a stack: the first {@code freeCount} are valid. */
    private final int[] freePages;

    private int freeCount;
    private int openSequences;

    KvCache(Backend backend, ModelConfig config, TensorType type, int contextLength, int maxSequences) {
        this.contextLength = contextLength;
        this.maxSequences = maxSequences;
        if ((long) pagesPerSequence() * maxSequences > Integer.MAX_VALUE) {
            throw new IllegalArgumentException("a context of %d for %d sequences is not possible".formatted(contextLength, maxSequences));
        }
        int pages = pagesPerSequence() * maxSequences;
        pool = backend.createKvPool(new KvShape(type, PAGE_POSITIONS, pages, config.nLayers(), config.nKvHeads(), config.headDim()));
        freePages = new int[pages];
        for (int i = 0; i < pages; i++) {
            freePages[i] = pages - 1 - i;
        }
        freeCount = pages;
    }

    KvPool pool() {
        return pool;
    }

    /** Positions that a sequence can have. */
    int contextLength() {
        return contextLength;
    }

    /** Sequences that can be open together. */
    int maxSequences() {
        return maxSequences;
    }

    int pagesPerSequence() {
        return Math.ceilDiv(contextLength, PAGE_POSITIONS);
    }

    /** Opens an empty sequence. */
    synchronized Sequence open() {
        if (openSequences == maxSequences) {
            throw new IllegalStateException(
                    "%d sequences are open, as many as the key/value memory was made for; finish or close one, or load the model with a larger LoadOptions.maxSequences"
                            .formatted(maxSequences));
        }
        openSequences++;
        return new Sequence(this);
    }

    synchronized int takePage() {
        return freePages[--freeCount];
    }

    synchronized void giveBack(int[] pages, int count) {
        for (int i = 0; i < count; i++) {
            freePages[freeCount++] = pages[i];
        }
        openSequences--;
    }

    int pagePositions() {
        return PAGE_POSITIONS;
    }

    @Override
    public void close() {
        pool.close();
    }
}
