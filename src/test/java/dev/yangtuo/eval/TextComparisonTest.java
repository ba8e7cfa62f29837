package dev.yangtuo.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.yangtuo.Perplexity;
import dev.yangtuo.PerplexityMethod;
import org.junit.jupiter.api.Test;

/** The same text under two models. */
class TextComparisonTest {
    /** @param nats of all tokens */
    private static Perplexity perplexity(int context, long tokens, double nats, long bytes) {
        return new Perplexity(PerplexityMethod.WINDOWS, context, 1, tokens, nats, nats * nats, tokens, bytes, bytes);
    }

    @Test
    void vocabulariesOfOtherSizesCompare() {
        // 1000 bytes: 2000 bits in 500 tokens, and 1500 bits in 250; a token of the second has more of them, 6 against 4.
        TextComparison comparison = new TextComparison("t", perplexity(256, 500, 2000 * Math.log(2), 1000), perplexity(256, 250, 1500 * Math.log(2), 1000));
        assertThat(comparison.difference()).isCloseTo(-0.5, within(1e-12));
        assertThat(comparison.percent()).isCloseTo(-25, within(1e-10));
    }

    @Test
    void whatDoesNotCompareIsRefused() {
        assertThatThrownBy(() -> new TextComparison("t", perplexity(256, 5, 1, 10), perplexity(256, 5, 1, 11)))
                .isInstanceOf(IllegalArgumentException.class).hasMessage("t: one model read 10 bytes, the other 11");
        assertThatThrownBy(() -> new TextComparison("t", perplexity(256, 5, 1, 10), perplexity(128, 5, 1, 10)))
                .isInstanceOf(IllegalArgumentException.class).hasMessageContainingAll("windows of 256 tokens, the other of 128", "a context of 128");
    }
}
