package dev.yangtuo.batch;

import org.jspecify.annotations.Nullable;

/**
 * One record of an input.
 *
 * @param number the line on which it begins, or its place among requests in memory, from 1; grows from record to record
 * @param where the same for people: {@code line 7}
 * @param bytes of the input that it takes, with blank lines before it
 * @param reply what its result is to look like where that is not the same for all
 * @param request null if there is a problem
 * @param problem null if there is none
 */
record InputRecord(long number, String where, RecordId id, long bytes, Reply reply, @Nullable BatchRequest request, @Nullable Problem problem) {
    /** Which of OpenAI's interfaces a line is for. */
    enum Reply {
        COMPLETION, CHAT
    }

    /**
     * Why there is no request.
     *
     * @param message whole, with the place
     */
    record Problem(BatchError error, String message) {}

    /** The same without what it takes memory for, once its text is being generated. */
    InputRecord withoutRequest() {
        return new InputRecord(number, where, id, bytes, reply, null, null);
    }

    /**
     * The same with a problem in place of the request.
     *
     * @param message without the place
     */
    InputRecord failing(BatchError error, String message) {
        return new InputRecord(number, where, id, bytes, reply, null, new Problem(error, "%s: %s".formatted(where, message)));
    }
}
