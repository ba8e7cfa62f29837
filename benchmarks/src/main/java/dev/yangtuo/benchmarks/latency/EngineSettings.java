package dev.yangtuo.benchmarks.latency;

/**
 * How an engine is opened; the same for all.
 *
 * @param model to be run
 * @param threads that compute
 * @param context tokens of a text at most, prompt included; more if engines are checked with more
 * @param texts that are computed together at most
 */
record EngineSettings(EngineName engine, PreparedModel model, int threads, int context, int texts) {
    private static final int LEAST_CONTEXT = 128;

    EngineSettings {
        context = Math.max(context, LEAST_CONTEXT);
    }

    /** {@return how many threads a parameter stands for} */
    static int threads(int parameter) {
        return parameter == 0 ? Runtime.getRuntime().availableProcessors() : parameter;
    }

    /** Enough for the check of an engine that has no other work. */
    static EngineSettings small(EngineName engine, PreparedModel model, int threads) {
        return new EngineSettings(engine, model, threads, LEAST_CONTEXT, 1);
    }
}
