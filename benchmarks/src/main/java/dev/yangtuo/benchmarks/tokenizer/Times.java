package dev.yangtuo.benchmarks.tokenizer;

import java.util.ArrayList;
import java.util.List;

/** Times of the same thing, in nanoseconds, in the order in which they were taken. */
final class Times {
    private final List<Long> nanos = new ArrayList<>();

    void add(long nanoseconds) {
        nanos.add(nanoseconds);
    }

    /** {@return the median; of an even number of times the mean of the middle two} */
    double medianNanos() {
        List<Long> sorted = nanos.stream().sorted().toList();
        int half = sorted.size() / 2;
        return sorted.size() % 2 == 1 ? sorted.get(half) : (sorted.get(half - 1) + sorted.get(half)) / 2.0;
    }

    /** {@return median, least and most in milliseconds, as cells of a table} */
    String cells() {
        return "%.1f | %.1f | %.1f".formatted(medianNanos() / 1e6, nanos.stream().min(Long::compare).orElseThrow() / 1e6,
                nanos.stream().max(Long::compare).orElseThrow() / 1e6);
    }
}
