package dev.yangtuo.model;

/**
 * How a model is to be written.
 *
 * @param load the adapters, the types, the threads and the listener; what is only for running a model does not count
 * @param shardBytes of a file of a directory, at most; a larger tensor has a file of its own
 * @param replace whether a model directory that is there is replaced
 */
public record ExportSettings(LoadSettings load, long shardBytes, boolean replace) {
    /** Checks the size. */
    public ExportSettings {
        if (shardBytes < 1) {
            throw new IllegalArgumentException("the shard size is %d bytes, must be at least 1".formatted(shardBytes));
        }
    }
}
