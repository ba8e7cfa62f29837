package dev.yangtuo.sampling;

import java.util.Arrays;

/** Leaves the required tokens alone. */
final class RequiredStep implements RowStep {
    /** Ascending, each once. */
    private final int[] ids;

    private final float[] kept;
    private final int choices;

    RequiredStep(int[] ids, int choices) {
        this.ids = Arrays.stream(ids).sorted().distinct().toArray();
        this.kept = new float[this.ids.length];
        this.choices = choices;
    }

    @Override
    public void apply(TokenHistory history, float[] logits) {
        for (int i = 0; i < ids.length; i++) {
            kept[i] = logits[ids[i]];
        }
        Arrays.fill(logits, 0, choices, Float.NEGATIVE_INFINITY);
        for (int i = 0; i < ids.length; i++) {
            logits[ids[i]] = kept[i];
        }
    }
}
