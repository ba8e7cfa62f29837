package dev.yangtuo;

import java.util.Objects;

/** How texts become vectors. Immutable: each method returns a changed copy. */
public final class EmbeddingOptions {
    private static final EmbeddingOptions DEFAULTS = new EmbeddingOptions(Pooling.MEAN, true, true, 0);

    private final Pooling pooling;
    private final boolean normalize;
    private final boolean bos;
    private final int priority;

    private EmbeddingOptions(Pooling pooling, boolean normalize, boolean bos, int priority) {
        this.pooling = pooling;
        this.normalize = normalize;
        this.bos = bos;
        this.priority = priority;
    }

    /** The mean of all tokens, of length 1. */
    public static EmbeddingOptions defaults() {
        return DEFAULTS;
    }

    /** Which tokens make the vector; {@link Pooling#MEAN} unless set. */
    public EmbeddingOptions pooling(Pooling value) {
        return new EmbeddingOptions(Objects.requireNonNull(value), normalize, bos, priority);
    }

    /** Whether vectors are divided by their Euclidean length, so that products of them are cosines; true unless set. A vector of zeros stays as it is. */
    public EmbeddingOptions normalize(boolean value) {
        return new EmbeddingOptions(pooling, value, bos, priority);
    }

    /** Whether a beginning-of-sequence token precedes each text where the model expects one; true unless set. */
    public EmbeddingOptions bos(boolean add) {
        return new EmbeddingOptions(pooling, normalize, add, priority);
    }

    /** As {@link GenerateOptions#priority}; 0 unless set. */
    public EmbeddingOptions priority(int value) {
        return new EmbeddingOptions(pooling, normalize, bos, value);
    }

    Pooling pooling() {
        return pooling;
    }

    boolean normalize() {
        return normalize;
    }

    boolean bos() {
        return bos;
    }

    int priority() {
        return priority;
    }
}
