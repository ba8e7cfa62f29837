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
        System.arraycopy(source, sourceOffset, values(), Math.toIntExact(firstElement), count);
    }

    @Override
    public void download(long firstElement, float[] target, int targetOffset, int count) {
        System.arraycopy(values(), Math.toIntExact(firstElement), target, targetOffset, count);
    }

    @Override
    public void close() {
        closed = true;
        values = new float[0];
    }
}
