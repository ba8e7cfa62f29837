package dev.yangtuo.kernel;

/** Pages of keys and values, shared by all sequences; who owns which page is the caller's affair. */
public sealed interface KvPool extends AutoCloseable permits NativeKvPool, ScalarKvPool {
    /** Its size. */
    KvShape shape();

    /** Frees the memory; closing twice is harmless. */
    @Override
    void close();
}
