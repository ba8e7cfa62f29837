package dev.yangtuo.sampling;

/**
 * Excludes top choices: with some probability, all candidates that reach a threshold but the least probable of them are taken out, so that the text leaves the beaten track
 * where there are several good ways on (Weidmann, text-generation-webui, pull request 6335).
 *
 * @param probability of doing so at a token, 0 (off) to 1
 * @param threshold probability from which on a candidate is a top choice, 0 to 1; above 0.5 no two candidates can reach it, which is off
 */
public record Xtc(float probability, float threshold) {
    /** Excludes nothing. */
    public static final Xtc OFF = new Xtc(0f, 0.1f);

    /** Checks the ranges. */
    public Xtc {
        Ranges.require(probability >= 0 && probability <= 1, "the XTC probability", probability, "0 (off) to 1");
        Ranges.require(threshold >= 0 && threshold <= 1, "the XTC threshold", threshold, "0 to 1 (above 0.5 is off)");
    }

    /** Whether anything can be excluded. */
    public boolean isOn() {
        return probability > 0 && threshold <= 0.5f;
    }
}
