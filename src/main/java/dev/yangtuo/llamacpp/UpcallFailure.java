package dev.yangtuo.llamacpp;

import dev.yangtuo.exception.YangtuoException;
import org.jspecify.annotations.Nullable;

/** What Java code has thrown that llama.cpp called: thrown out of the call, it would end the process; it is kept, and thrown behind it. */
final class UpcallFailure {
    private UpcallFailure() {}

    /** Throws what was kept, if anything was. */
    static void rethrow(@Nullable Throwable failure) {
        switch (failure) {
            case null -> {}
            case RuntimeException e -> throw e;
            case Error e -> throw e;
            default -> throw new YangtuoException("a listener has failed: " + failure, failure);
        }
    }
}
