package dev.yangtuo.bench;

import java.util.List;

/**
 * The same thing measured several times.
 *
 * @param values at least one, in the order of measurement
 */
public record Samples(List<Double> values) {
    /** Copies them. */
    public Samples {
        if (values.isEmpty()) {
            throw new IllegalArgumentException("there is no sample");
        }
        values = List.copyOf(values);
    }

    /** Their mean. */
    public double mean() {
        return values.stream().mapToDouble(Double::doubleValue).average().orElseThrow();
    }

    /** The standard deviation of what they are samples of; 0 for a single one. */
    public double deviation() {
        double mean = mean();
        double squares = values.stream().mapToDouble(value -> (value - mean) * (value - mean)).sum();
        return values.size() == 1 ? 0 : Math.sqrt(squares / (values.size() - 1));
    }

    /** The middle one; of an even number the mean of the middle two. */
    public double median() {
        List<Double> sorted = values.stream().sorted().toList();
        int half = sorted.size() / 2;
        return sorted.size() % 2 == 1 ? sorted.get(half) : (sorted.get(half - 1) + sorted.get(half)) / 2;
    }

    /** The smallest. */
    public double least() {
        return values.stream().mapToDouble(Double::doubleValue).min().orElseThrow();
    }

    /** The largest. */
    public double most() {
        return values.stream().mapToDouble(Double::doubleValue).max().orElseThrow();
    }
}
