package dev.yangtuo;

import dev.yangtuo.kernel.Backend;
import dev.yangtuo.kernel.Backends;
import dev.yangtuo.kernel.NativeBackend;
import dev.yangtuo.kernel.ScalarBackend;

/** What computes. */
public enum BackendType {
    /** The native library; where it cannot be loaded, {@link #SCALAR} with one warning in the log that says why. */
    AUTO,
    /** The native library, or an exception. */
    NATIVE,
    /** Plain Java: the reference, slow. */
    SCALAR;

    Backend open(int threads) {
        return switch (this) {
            case AUTO -> Backends.openBest(threads);
            case NATIVE -> NativeBackend.open(threads);
            case SCALAR -> new ScalarBackend(threads);
        };
    }

    /**
     * The backend of this name, in any case.
     *
     * @throws IllegalArgumentException if there is none
     */
    public static BackendType of(String name) {
        for (BackendType type : values()) {
            if (type.name().equalsIgnoreCase(name)) {
                return type;
            }
        }
        throw new IllegalArgumentException("'%s' is not a backend; there are auto, native, scalar".formatted(name));
    }
}
