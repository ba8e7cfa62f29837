package dev.yangtuo.sampling;

/**
 * Mirostat v2 (Basu et al., arXiv 2007.14966): takes the place of all truncations. Candidates whose surprise, {@code -log2(p)}, is more than {@code mu} are taken out, but for
 * the most probable one; {@code mu} begins as {@code 2 tau}, and after each token becomes {@code mu - eta * (surprise - tau)}.
 *
 * @param isOn whether it does
 * @param tau the surprise that is aimed at, in bits, 0 or more
 * @param eta how fast {@code mu} follows, 0 or more
 */
public record Mirostat(boolean isOn, float tau, float eta) {
    /** Does nothing; with what is usual for the other values. */
    public static final Mirostat OFF = new Mirostat(false, 5f, 0.1f);

    /** Checks the ranges. */
    public Mirostat {
        Ranges.require(Float.isFinite(tau) && tau >= 0, "mirostat's tau", tau, "0 or more");
        Ranges.require(Float.isFinite(eta) && eta >= 0, "mirostat's eta", eta, "0 or more");
    }
}
