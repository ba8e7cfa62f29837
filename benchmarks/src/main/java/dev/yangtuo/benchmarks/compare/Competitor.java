package dev.yangtuo.benchmarks.compare;

import dev.yangtuo.bench.BenchTest;
import org.jspecify.annotations.Nullable;

/**
 * One of those that are compared, under one name.
 *
 * @param name as it was given
 * @param single measures one sequence; null if it is not there
 * @param batched measures several together; null if it is not there
 */
record Competitor(String name, @Nullable Program single, @Nullable Program batched) {
    /** {@return the program for a test, or null if it has none} */
    @Nullable Program programFor(BenchTest test) {
        return test.sequences() == 1 ? single : batched;
    }
}
