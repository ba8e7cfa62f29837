package dev.yangtuo.kernel;

import dev.yangtuo.exception.NativeLibraryException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.concurrent.atomic.AtomicBoolean;

/** Opens backends. */
public final class Backends {
    private static final Logger LOGGER = System.getLogger(Backends.class.getName());
    private static final AtomicBoolean WARNED = new AtomicBoolean();

    private Backends() {}

    /**
     * The native backend; where its library cannot be loaded the scalar one, with one warning per process that says why. A kernel that was
     * forced by name and cannot run is an error all the same.
     *
     * @param threads threads that a stage is divided among
     */
    public static Backend openBest(int threads) {
        try {
            return NativeBackend.open(threads);
        } catch (NativeLibraryException e) {
            if (WARNED.compareAndSet(false, true)) {
                LOGGER.log(Level.WARNING, "the native library cannot be used, plain Java computes instead, many times slower: {0}", e.getMessage());
            }
            return new ScalarBackend(threads);
        }
    }
}
