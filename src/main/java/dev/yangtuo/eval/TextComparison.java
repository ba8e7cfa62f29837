package dev.yangtuo.eval;

import dev.yangtuo.Llama;
import dev.yangtuo.Perplexity;
import dev.yangtuo.PerplexityOptions;

/**
 * How well two models predict the same text, in bits per byte: perplexities of a token do not compare where vocabularies differ, since the larger one cuts a text into fewer
 * and harder tokens. {@link Llama#perplexity(CharSequence, PerplexityOptions)} measures both, with the same options.
 *
 * @param text what it is called
 * @param base under the model that is compared with
 * @param model under the other one
 */
public record TextComparison(String text, Perplexity base, Perplexity model) {
    /**
     * Checks that the two measured the same.
     *
     * @throws IllegalArgumentException if their texts are not as long, or their methods or windows are not the same
     */
    public TextComparison {
        if (base.textBytes() != model.textBytes()) {
            throw new IllegalArgumentException("%s: one model read %d bytes, the other %d".formatted(text, base.textBytes(), model.textBytes()));
        }
        if (base.method() != model.method()) {
            throw new IllegalArgumentException("%s: one method is %s, the other %s".formatted(text, base.method().label(), model.method().label()));
        }
        if (base.context() != model.context()) {
            throw new IllegalArgumentException("%s: one model read windows of %d tokens, the other of %d; measure both with a context of %d"
                    .formatted(text, base.context(), model.context(), Math.min(base.context(), model.context())));
        }
    }

    /** Bits per byte that the model needs more than the base; less than 0 if it predicts the text better. */
    public double difference() {
        return model.bitsPerByte() - base.bitsPerByte();
    }

    /** The same in per cent of what the base needs. */
    public double percent() {
        return 100 * difference() / base.bitsPerByte();
    }
}
