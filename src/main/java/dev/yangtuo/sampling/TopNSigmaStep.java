package dev.yangtuo.sampling;

/** Takes out what is more than some standard deviations below the largest logit; what is minus infinity already does not count. */
final class TopNSigmaStep implements RowStep {
    private final float n;
    private final int choices;

    TopNSigmaStep(float n, int choices) {
        this.n = n;
        this.choices = choices;
    }

    @Override
    public void apply(TokenHistory history, float[] logits) {
        float max = Float.NEGATIVE_INFINITY;
        double sum = 0;
        int finite = 0;
        for (int id = 0; id < choices; id++) {
            if (logits[id] != Float.NEGATIVE_INFINITY) {
                max = Math.max(max, logits[id]);
                sum += logits[id];
                finite++;
            }
        }
        double mean = sum / finite;
        double squares = 0;
        for (int id = 0; id < choices; id++) {
            if (logits[id] != Float.NEGATIVE_INFINITY) {
                squares += (logits[id] - mean) * (logits[id] - mean);
            }
        }
        double least = max - n * Math.sqrt(squares / finite);
        for (int id = 0; id < choices; id++) {
            if (logits[id] < least) {
                logits[id] = Float.NEGATIVE_INFINITY;
            }
        }
    }
}
