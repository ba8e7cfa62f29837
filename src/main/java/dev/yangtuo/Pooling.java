package dev.yangtuo;

/** How the states of a text's tokens become one vector. */
public enum Pooling {
    /** Their mean, with the beginning-of-sequence token's. */
    MEAN,
    /** That of the last token, which has seen all others. */
    LAST;

    /**
     * The pooling of this name, in any case.
     *
     * @throws IllegalArgumentException if there is none
     */
    public static Pooling of(String name) {
        for (Pooling pooling : values()) {
            if (pooling.name().equalsIgnoreCase(name)) {
                return pooling;
            }
        }
        throw new IllegalArgumentException("'%s' is not a pooling; there are mean, last".formatted(name));
    }
}
