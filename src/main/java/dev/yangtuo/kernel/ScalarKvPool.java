package dev.yangtuo.kernel;

import dev.yangtuo.tensor.RowCodec;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Keys and values in plain Java arrays, one per page, allocated when the page is first written. A page is [layer][key/value head][keys, values][position in page] rows
 * of headDim elements, stored as the type's rows are everywhere.
 */
final class ScalarKvPool implements KvPool {
    private final KvShape shape;
    private final int rowBytes;
    private final int pageBytes;
    private final byte @Nullable [][] pages;
    private boolean closed;

    ScalarKvPool(KvShape shape) {
        long bytes = shape.byteSize() / shape.pages();
        if (bytes > Integer.MAX_VALUE - 8) {
            throw new IllegalArgumentException("a page of %d bytes is not possible, at most 2147483639 are".formatted(bytes));
        }
        this.shape = shape;
        this.rowBytes = (int) shape.type().rowBytes(shape.headDim());
        this.pageBytes = (int) bytes;
        this.pages = new byte[shape.pages()][];
    }

    @Override
    public KvShape shape() {
        return shape;
    }

    @Override
    public long pageBytes() {
        requireOpen();
        return pageBytes;
    }

    @Override
    public void copyPage(int from, int to) {
        requirePage(from);
        requirePage(to);
        byte[] source = pages[from];
        pages[to] = source == null ? null : source.clone();
    }

    @Override
    public void downloadPage(int page, MemorySegment target) {
        requirePage(page);
        requirePageSize(target);
        byte[] source = pages[page];
        if (source == null) {
            target.fill((byte) 0);
        } else {
            target.copyFrom(MemorySegment.ofArray(source));
        }
    }

    @Override
    public void uploadPage(int page, MemorySegment source) {
        requirePage(page);
        requirePageSize(source);
        MemorySegment.ofArray(written(page)).copyFrom(source);
    }

    private void requirePage(int page) {
        requireOpen();
        if (page < 0 || page >= pages.length) {
            throw new IllegalArgumentException("page %d is outside a pool of %d".formatted(page, pages.length));
        }
    }

    private void requirePageSize(MemorySegment segment) {
        if (segment.byteSize() != pageBytes) {
            throw new IllegalArgumentException("%d bytes are not a page of %d".formatted(segment.byteSize(), pageBytes));
        }
    }

    private byte[] written(int page) {
        byte[] bytes = pages[page];
        if (bytes == null) {
            bytes = new byte[pageBytes];
            pages[page] = bytes;
        }
        return bytes;
    }

    private int offset(int layer, int head, boolean value, int positionInPage) {
        int kind = value ? 1 : 0;
        return (((layer * shape.kvHeads() + head) * 2 + kind) * shape.pagePositions() + positionInPage) * rowBytes;
    }

    /** Stores {@code headDim} elements. */
    void write(int page, int layer, int head, boolean value, int positionInPage, float[] source, int sourceOffset) {
        requireOpen();
        MemorySegment target = MemorySegment.ofArray(written(page));
        RowCodec.encodeRows(shape.type(), source, sourceOffset, 1, shape.headDim(), target, offset(layer, head, value, positionInPage));
    }

    /** Reads {@code headDim} elements, widened to float32; zeros if nothing was ever written to the page. */
    void read(int page, int layer, int head, boolean value, int positionInPage, float[] target) {
        requireOpen();
        byte[] bytes = pages[page];
        if (bytes == null) {
            Arrays.fill(target, 0f);
            return;
        }
        RowCodec.decodeRows(shape.type(), MemorySegment.ofArray(bytes), offset(layer, head, value, positionInPage), 1, shape.headDim(), target, 0);
    }

    private void requireOpen() {
        if (closed) {
            throw new IllegalStateException("the key/value pool is closed");
        }
    }

    @Override
    public void close() {
        closed = true;
        Arrays.fill(pages, null);
    }
}
