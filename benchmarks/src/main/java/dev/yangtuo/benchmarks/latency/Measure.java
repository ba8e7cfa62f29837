package dev.yangtuo.benchmarks.latency;

import java.util.Arrays;

/** What the suite measures. */
enum Measure {
    /** From a prompt to the first token. */
    FIRST_TOKEN("first-token", "latency.FirstTokenBenchmark.firstToken", "ms"),
    /** From one token to the next. */
    NEXT_TOKEN("next-token", "latency.NextTokenBenchmark.nextToken", "ms"),
    /** What a token leaves for the collector. */
    GARBAGE("garbage", "latency.NextTokenBenchmark.garbage", "bytes"),
    /** From files to a model. */
    LOAD("load", "latency.LoadBenchmark.load", "ms"),
    /** From text to ids. */
    TOKENIZE("tokenize", "tokenizer.TokenizerBenchmark.encode", "MB/s"),
    /** A call of a native function. */
    FOREIGN_CALL("foreign-call", "latency.ForeignCallBenchmark.call", "ns");

    private final String text;
    private final String benchmark;
    private final String unit;

    Measure(String text, String benchmark, String unit) {
        this.text = text;
        this.benchmark = benchmark;
        this.unit = unit;
    }

    /** {@return class and method, without the package that all have in common} */
    String benchmark() {
        return benchmark;
    }

    /** {@return of its values} */
    String unit() {
        return unit;
    }

    /**
     * {@return the measure of this name}
     *
     * @throws IllegalArgumentException if there is none
     */
    static Measure of(String name) {
        for (Measure measure : values()) {
            if (measure.text.equals(name)) {
                return measure;
            }
        }
        throw new IllegalArgumentException("'%s' is not a measure; there are %s".formatted(name, Arrays.toString(values())));
    }

    /** The name that {@link #of} takes. */
    @Override
    public String toString() {
        return text;
    }
}
