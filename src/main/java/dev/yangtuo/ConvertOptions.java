package dev.yangtuo;

import dev.yangtuo.model.ExportSettings;

/** How a converted model is written. Immutable: each method returns a changed copy. */
public final class ConvertOptions {
    private static final ConvertOptions DEFAULTS = new ConvertOptions(5_000_000_000L, false);

    private final long shardBytes;
    private final boolean replaceDirectory;

    private ConvertOptions(long shardBytes, boolean replaceDirectory) {
        this.shardBytes = shardBytes;
        this.replaceDirectory = replaceDirectory;
    }

    /** Files of at most 5 GB in a directory; no directory that holds something is replaced. */
    public static ConvertOptions defaults() {
        return DEFAULTS;
    }

    /** Bytes of a file of a Hugging Face directory at most, at least 1; a tensor that is larger has a file of its own. */
    public ConvertOptions shardBytes(long bytes) {
        if (bytes < 1) {
            throw new IllegalArgumentException("shardBytes is %d, must be at least 1".formatted(bytes));
        }
        return new ConvertOptions(bytes, replaceDirectory);
    }

    /** Whether a model directory that is there is replaced: one with a {@code config.json} and without directories in it. */
    public ConvertOptions replaceDirectory(boolean replace) {
        return new ConvertOptions(shardBytes, replace);
    }

    ExportSettings settings(LoadOptions load) {
        return new ExportSettings(load.settings(), shardBytes, replaceDirectory);
    }
}
