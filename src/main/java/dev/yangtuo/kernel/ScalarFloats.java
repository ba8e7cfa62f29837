package dev.yangtuo.kernel;

/** Float32 memory as a Java array. */
final class ScalarFloats implements DeviceFloats {
    private float[] values;
    private boolean closed;

    ScalarFloats(long count) {
        if (count < 1 || count > Integer.MAX_VALUE - 8) {
            throw new IllegalArgumentException("a buffer of %d elements is not possible, 1 to 2147483639 are".formatted(count));
        }
        values = new float[(int) count];
    }

    float[] values() {
        if (closed) {
            throw new IllegalStateException("the buffer is closed");
        }
        return values;
    }

    @Override
    public long count() {
        return values().length;
    }

    @Override
    public void upload(long firstElement, float[] source, int sourceOffset, int count) {
        requireRange(firstElement, count, values().length);
        System.arraycopy(source, sourceOffset, values(), (int) firstElement, count);
    }

    @Override
    public void download(long firstElement, float[] target, int targetOffset, int count) {
        requireRange(firstElement, count, values().length);
        System.arraycopy(values(), (int) firstElement, target, targetOffset, count);
    }

    /** Checks that the elements of a copy are inside a buffer of {@code size}. */
    static void requireRange(long firstElement, int count, long size) {
        if (firstElement < 0 || count < 0 || firstElement > size - count) {
            throw new IllegalArgumentException(
                    "%d elements from %d on are outside a buffer of %d".formatted(count, firstElement, size));
        }
    }

    @Override
    public void close() {
        closed = true;
        values = new float[0];
    }
}
