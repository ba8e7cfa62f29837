package dev.yangtuo.kernel;

/** The host's arrays are the device's. */
final class ScalarBatch extends Batch {
    ScalarBatch(BatchCapacity capacity) {
        super(capacity);
    }

    @Override
    public void upload() {}

    @Override
    public void close() {}
}
