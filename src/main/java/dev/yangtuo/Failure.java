package dev.yangtuo;

/** What failed on the scheduler's thread. */
final class Failure {
    private Failure() {}

    /** As it is to be thrown where the result is asked for, with that place in its trace where that can be. */
    static RuntimeException here(Throwable failure) {
        if (failure instanceof IllegalStateException e) {
            return new IllegalStateException(e.getMessage(), e);
        }
        return failure instanceof RuntimeException e ? e : new IllegalStateException(failure);
    }
}
