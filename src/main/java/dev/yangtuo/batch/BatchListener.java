package dev.yangtuo.batch;

/** Is told how a batch comes along, by the thread that runs it. What it throws ends the batch. */
public interface BatchListener {
    /** Does nothing. */
    BatchListener NONE = new BatchListener() {};

    /** A result has come; it is written, or handed on, right afterwards. Results of a run that is resumed are not told again. */
    default void onResult(BatchResult result) {}

    /** How far the batch has come: after results, and about once a second. */
    default void onProgress(BatchProgress progress) {}
}
