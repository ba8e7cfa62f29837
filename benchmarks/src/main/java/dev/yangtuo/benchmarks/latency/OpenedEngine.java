package dev.yangtuo.benchmarks.latency;

import dev.yangtuo.benchmarks.Facts;

/** An engine that was checked, as the states of the benchmarks hold it. */
record OpenedEngine(LatencyEngine engine) implements AutoCloseable {
    /** Opens an engine, checks it and notes what was found. What cannot be measured is an exception that says why. */
    static OpenedEngine open(EngineSettings settings) {
        return open(settings, LoadSource.FILE);
    }

    /** The same of a model that is loaded from something else. */
    static OpenedEngine open(EngineSettings settings, LoadSource source) {
        settings.model().prepare();
        LatencyEngine engine = source.open(settings);
        try {
            String check = new Verification(settings, source).check(engine);
            Facts.note("backend", engine.description());
            Facts.note("check", check);
            return new OpenedEngine(engine);
        } catch (RuntimeException e) {
            engine.close();
            throw e;
        }
    }

    @Override
    public void close() {
        engine.close();
    }
}
