package dev.yangtuo.kernel;

import dev.yangtuo.tensor.BlockCodec;
import dev.yangtuo.tensor.RowCodec;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Keys and values in plain Java arrays, one per page, allocated when the page is first written. A page is [layer][key/value head][keys, values][position in page] rows
 * of headDim elements, stored as the type's rows are everywhere; zeros fill up the last block of a row.
 */
final class ScalarKvPool implements KvPool {
    private static final float[] NO_MINIMUMS = {};

    private final KvShape shape;
    private final int rowBytes;
    private final int pageBytes;
    private final byte @Nullable [][] pages;
    private boolean closed;

    ScalarKvPool(KvShape shape) {
        int block = shape.type().blockElements();
        long row = shape.type().rowBytes((long) Math.ceilDiv(shape.headDim(), block) * block);
        double bytes = 2.0 * row * shape.pagePositions() * shape.layers() * shape.kvHeads();
        if (bytes > Integer.MAX_VALUE - 8) {
            throw new IllegalArgumentException("a page of %.0f bytes is not possible, at most 2147483639 are".formatted(bytes));
        }
        this.shape = shape;
        this.rowBytes = (int) row;
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
        int offset = offset(layer, head, value, positionInPage);
        if (!isQuantized()) {
            RowCodec.encodeRows(shape.type(), source, sourceOffset, 1, shape.headDim(), target, offset);
            return;
        }
        int blockBytes = shape.type().blockBytes();
        for (int first = 0; first < shape.headDim(); first += ScalarMath.BLOCK) {
            float[] block = new float[ScalarMath.BLOCK];
            System.arraycopy(source, sourceOffset + first, block, 0, Math.min(ScalarMath.BLOCK, shape.headDim() - first));
            writeBlock(block, target.asSlice(offset + (long) first / ScalarMath.BLOCK * blockBytes, blockBytes));
        }
    }

    /** A block with NaN or an infinity gets NaN for its scale, so that damage shows. */
    private void writeBlock(float[] block, MemorySegment target) {
        boolean finite = true;
        for (float x : block) {
            finite &= Float.isFinite(x);
        }
        if (finite) {
            RowCodec.encodeRows(shape.type(), block, 0, 1, block.length, target, 0);
        } else {
            target.fill((byte) 0);
            target.set(ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN), 0, (short) 0x7e00);
        }
    }

    boolean isQuantized() {
        return shape.type().isQuantized();
    }

    /**
     * Reads {@code headDim} elements of a quantized type.
     *
     * @param q integers; beyond {@code headDim}, up to a multiple of 32, zeros
     * @param scales one for each 32 elements
     */
    void readQuantized(int page, int layer, int head, boolean value, int positionInPage, byte[] q, float[] scales) {
        requireOpen();
        byte[] bytes = pages[page];
        if (bytes == null) {
            Arrays.fill(q, (byte) 0);
            Arrays.fill(scales, 0f);
            return;
        }
        BlockCodec.of(shape.type()).unpack(bytes, offset(layer, head, value, positionInPage), scales.length, q, scales, NO_MINIMUMS);
    }

    /** Reads {@code headDim} elements of an unquantized type, widened to float32; zeros if nothing was ever written to the page. */
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
