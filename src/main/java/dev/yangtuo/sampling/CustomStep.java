package dev.yangtuo.sampling;

import java.nio.IntBuffer;

/** A step that the program brings, for one text. */
@FunctionalInterface
public interface CustomStep {
    /**
     * Changes logits before all other steps.
     *
     * @param tokens the text so far, prompt included; read-only, valid for the call
     * @param logits of the next token, by id, to be changed; those beyond the vocabulary are ignored
     */
    void apply(IntBuffer tokens, float[] logits);
}
