package dev.yangtuo.sampling;

/** Edits that are made at once, in all logits of a token. */
final class RowEdits implements LogitEdits {
    private float[] logits = new float[0];

    void row(float[] of) {
        logits = of;
    }

    @Override
    public void edit(int id, float divisor, float addend) {
        float logit = logits[id];
        logits[id] = (logit > 0 ? logit / divisor : logit * divisor) + addend;
    }
}
