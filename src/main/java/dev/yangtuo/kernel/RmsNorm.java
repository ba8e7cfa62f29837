package dev.yangtuo.kernel;

/** A norm on the host, with the same bits as the one in front of a product on any backend ({@code docs/kernels.md}). Immutable, thread-safe. */
public final class RmsNorm {
    private final float[] weight;
    private final float eps;

    private RmsNorm(float[] weight, float eps) {
        this.weight = weight;
        this.eps = eps;
    }

    /** The norm at the end of a model; its weights are copied. */
    public static RmsNorm of(OutputWeights output) {
        float[] weight = new float[Math.toIntExact(output.norm().count())];
        output.norm().download(0, weight, 0, weight.length);
        return new RmsNorm(weight, output.normEps());
    }

    /** Elements of a column. */
    public int dim() {
        return weight.length;
    }

    /** Norms the {@link #dim()} elements from {@code offset} on, in place. */
    public void apply(float[] x, int offset) {
        ScalarMath.rmsNorm(x, offset, weight, eps, x, offset);
    }
}
