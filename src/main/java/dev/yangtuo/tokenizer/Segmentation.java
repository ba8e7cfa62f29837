package dev.yangtuo.tokenizer;

import java.util.Arrays;

/**
 * One way to cut a text under a unigram model.
 *
 * @param ids the ids of the text; not copied
 * @param score log-probability of the segmentation: the sum of the scores of its pieces
 */
public record Segmentation(int[] ids, float score) {
    @Override
    public boolean equals(Object other) {
        return other instanceof Segmentation that && Arrays.equals(ids, that.ids) && Float.compare(score, that.score) == 0;
    }

    @Override
    public int hashCode() {
        return 31 * Arrays.hashCode(ids) + Float.hashCode(score);
    }

    @Override
    public String toString() {
        return "Segmentation[ids=%s, score=%s]".formatted(Arrays.toString(ids), score);
    }
}
