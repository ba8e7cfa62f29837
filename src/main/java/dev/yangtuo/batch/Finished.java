package dev.yangtuo.batch;

import org.jspecify.annotations.Nullable;

/**
 * A record of the input whose result is there.
 *
 * @param place its place among the records of the input, from 1
 * @param record without its request
 * @param prompt the text that was continued, if the job keeps it and it was one; else null
 */
record Finished(long place, InputRecord record, @Nullable String prompt, BatchResult result) {}
