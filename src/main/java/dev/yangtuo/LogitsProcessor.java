package dev.yangtuo;

import java.nio.IntBuffer;

/**
 * A step of sampling that the program brings: it changes the logits of each token, as the model has computed them, before all other steps
 * ({@link GenerateOptions#logitsProcessor}). Tokens that options or a constraint forbid stay forbidden, whatever it does.
 *
 * <p>Each text has its own, so that it may remember what it likes; it is called once for each token, in their order, also where tokens are guessed. The calls come from a
 * thread of the model's that computes for all texts, so they should be quick. If it throws, its text fails, and the others go on.
 */
@FunctionalInterface
public interface LogitsProcessor {
    /**
     * Changes the logits of the next token.
     *
     * @param tokens the text so far, prompt included: ids from 0 to the limit; read-only, valid for the call
     * @param logits by id, to be changed in place: finite, or minus infinity for a token that shall not come; valid for the call. The array may be longer than the vocabulary:
     *     what is behind is ignored
     */
    void process(IntBuffer tokens, float[] logits);
}
