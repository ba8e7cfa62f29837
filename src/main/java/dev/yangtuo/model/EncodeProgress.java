package dev.yangtuo.model;

import java.util.function.ToLongFunction;

/** Counts what has been encoded of a model, and tells a listener. For the encoding thread alone. */
final class EncodeProgress {
    private final LoadSettings.Listener listener;
    private int count;
    private int done;
    private long byteCount;
    private long bytesDone;
    private String latest = ModelSource.EMBEDDING;

    /** @param bytesOf bytes of a parameter as it is kept */
    EncodeProgress(MergedModel model, ToLongFunction<MergedParameter> bytesOf, LoadSettings.Listener listener) {
        this.listener = listener;
        model.forEach(parameter -> {
            count++;
            byteCount = Math.addExact(byteCount, bytesOf.applyAsLong(parameter));
        });
    }

    /** A parameter is kept on two devices: to be said before the first is finished. */
    void expectAgain(long bytes) {
        byteCount += bytes;
    }

    /** Bytes of all parameters as they are kept. */
    long byteCount() {
        return byteCount;
    }

    /** Some more bytes of the current parameter are finished. */
    void bytes(long more) {
        bytesDone += more;
        listener.progressed(latest, done, count, bytesDone, byteCount);
    }

    /** A parameter is finished. */
    void finished(String name) {
        latest = name;
        done++;
        listener.progressed(name, done, count, bytesDone, byteCount);
    }
}
