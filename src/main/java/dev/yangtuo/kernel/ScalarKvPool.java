package dev.yangtuo.kernel;

import dev.yangtuo.tensor.TensorType;
import org.jspecify.annotations.Nullable;

/**
 * Keys and values in plain Java arrays, one per page, allocated when the page is first written. Elements of a page, in this order:
 * [layer][key/value head][keys, values][position in page][headDim].
 */
final class ScalarKvPool implements KvPool {
    private final KvShape shape;
    private final float @Nullable [][] floatPages;
    private final short @Nullable [][] halfPages;
    private boolean closed;

    ScalarKvPool(KvShape shape) {
        if (shape.pageElements() > Integer.MAX_VALUE - 8) {
            throw new IllegalArgumentException("a page of %d elements is not possible, at most 2147483639 are".formatted(shape.pageElements()));
        }
        this.shape = shape;
        boolean half = shape.type() == TensorType.F16;
        this.halfPages = new short[half ? shape.pages() : 0][];
        this.floatPages = new float[half ? 0 : shape.pages()][];
    }

    @Override
    public KvShape shape() {
        return shape;
    }

    private int offset(int layer, int head, boolean value, int positionInPage) {
        int kind = value ? 1 : 0;
        return (((layer * shape.kvHeads() + head) * 2 + kind) * shape.pagePositions() + positionInPage) * shape.headDim();
    }

    /** Stores {@code headDim} elements. */
    void write(int page, int layer, int head, boolean value, int positionInPage, float[] source, int sourceOffset) {
        requireOpen();
        int offset = offset(layer, head, value, positionInPage);
        int elements = (int) shape.pageElements();
        if (shape.type() == TensorType.F16) {
            if (halfPages[page] == null) {
                halfPages[page] = new short[elements];
            }
            for (int i = 0; i < shape.headDim(); i++) {
                halfPages[page][offset + i] = Float.floatToFloat16(source[sourceOffset + i]);
            }
        } else {
            if (floatPages[page] == null) {
                floatPages[page] = new float[elements];
            }
            System.arraycopy(source, sourceOffset, floatPages[page], offset, shape.headDim());
        }
    }

    /** Reads {@code headDim} elements, widened to float32; zeros if nothing was ever written to the page. */
    void read(int page, int layer, int head, boolean value, int positionInPage, float[] target) {
        requireOpen();
        int offset = offset(layer, head, value, positionInPage);
        for (int i = 0; i < shape.headDim(); i++) {
            if (shape.type() == TensorType.F16) {
                target[i] = halfPages[page] == null ? 0f : Float.float16ToFloat(halfPages[page][offset + i]);
            } else {
                target[i] = floatPages[page] == null ? 0f : floatPages[page][offset + i];
            }
        }
    }

    private void requireOpen() {
        if (closed) {
            throw new IllegalStateException("the key/value pool is closed");
        }
    }

    @Override
    public void close() {
        closed = true;
        for (int page = 0; page < halfPages.length; page++) {
            halfPages[page] = null;
        }
        for (int page = 0; page < floatPages.length; page++) {
            floatPages[page] = null;
        }
    }
}
