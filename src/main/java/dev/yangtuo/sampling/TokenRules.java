package dev.yangtuo.sampling;

import java.util.ArrayList;
import java.util.List;

/**
 * Which tokens may come, and which come more easily.
 *
 * @param biases are added to logits, all of them: two of one token add up
 * @param required only these may come; all may if there are none
 * @param minTokens tokens that end the text may not come before there are this many
 */
public record TokenRules(List<TokenBias> biases, List<TokenName> required, int minTokens) {
    /** Every token may come. */
    public static final TokenRules NONE = new TokenRules(List.of(), List.of(), 0);

    /** Copies the lists and checks the range. */
    public TokenRules {
        biases = List.copyOf(biases);
        required = List.copyOf(required);
        Ranges.require(minTokens >= 0, "the minimum of tokens", minTokens, "0 or more");
    }

    /** Whether a token can be forbidden. */
    boolean forbid() {
        return minTokens > 0 || !required.isEmpty() || biases.stream().anyMatch(bias -> bias.bias() == TokenBias.BAN);
    }

    /** The same with one bias more. */
    public TokenRules plus(TokenBias bias) {
        return new TokenRules(longer(biases, bias), required, minTokens);
    }

    /** The same with one required token more. */
    public TokenRules plusRequired(TokenName token) {
        return new TokenRules(biases, longer(required, token), minTokens);
    }

    /** The same with another minimum. */
    public TokenRules withMinTokens(int value) {
        return new TokenRules(biases, required, value);
    }

    private static <T> List<T> longer(List<T> list, T more) {
        List<T> longer = new ArrayList<>(list);
        longer.add(more);
        return longer;
    }
}
