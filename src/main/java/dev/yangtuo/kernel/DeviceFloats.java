package dev.yangtuo.kernel;

/**
 * Float32 memory on the device. Elements that it does not have are an {@link IllegalArgumentException}, those that the array of the host does not
 * have an {@link IndexOutOfBoundsException}. Not thread-safe.
 */
public sealed interface DeviceFloats extends AutoCloseable permits NativeFloats, ScalarFloats {
    /** Number of elements. */
    long count();

    /** Copies {@code count} values from {@code source} to the elements from {@code firstElement} on. */
    void upload(long firstElement, float[] source, int sourceOffset, int count);

    /** Copies {@code count} elements from {@code firstElement} on into {@code target}. */
    void download(long firstElement, float[] target, int targetOffset, int count);

    /** Frees the memory; closing twice is harmless. */
    @Override
    void close();
}
