package dev.yangtuo.batch;

import dev.yangtuo.GenerationResult;

/** What came of one request. */
public sealed interface BatchResult {
    /** Which request of the input it is of: the line on which it begins, or its place among requests in memory; the first is 1. */
    long number();

    /** The id of the request; of a line without one its number. */
    String id();

    /**
     * A text.
     *
     * @param result all that is known of it
     */
    record Generated(long number, String id, GenerationResult result) implements BatchResult {}

    /**
     * No text.
     *
     * @param error why not
     * @param message the same for people: the place, what was found, what was expected
     */
    record Failed(long number, String id, BatchError error, String message) implements BatchResult {}
}
