package dev.yangtuo.benchmarks.latency;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/** What can compute a model in this JVM. */
enum EngineName {
    /** Our own kernels. */
    YANGTUO("yangtuo"),
    /** llama.cpp's library, called by us through the same API. */
    LLAMA_CPP("llama.cpp"),
    /** Jlama: Java with the Vector API, and native products of matrices. */
    JLAMA("jlama");

    private final String text;

    EngineName(String text) {
        this.text = text;
    }

    /**
     * {@return the engines of a list}
     *
     * @param names separated by commas
     * @throws IllegalArgumentException if one is none
     */
    static List<EngineName> parse(String names) {
        return Arrays.stream(names.split(",", -1)).map(String::strip).map(EngineName::of).distinct().toList();
    }

    static EngineName of(String name) {
        return Arrays.stream(values()).filter(engine -> engine.text.equals(name)).findFirst()
                .orElseThrow(() -> new IllegalArgumentException("'%s' is not an engine; there are %s"
                        .formatted(name, Arrays.stream(values()).map(EngineName::toString).collect(Collectors.joining(", ")))));
    }

    /** The name that {@link #of} takes. */
    @Override
    public String toString() {
        return text;
    }
}
