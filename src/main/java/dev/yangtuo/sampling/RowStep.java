package dev.yangtuo.sampling;

/** A step that looks at all logits of a token. */
interface RowStep {
    /** @param logits more than there are choices where the vocabulary is padded */
    void apply(TokenHistory history, float[] logits);
}
