package dev.yangtuo;

import java.util.List;

/**
 * How probable a generated token was, and which would have been the most probable ones: natural logarithms of what the model itself computed, before penalties,
 * temperature and everything else that {@link GenerateOptions} do to it. All rows of the output matrix count.
 *
 * @param id of the token
 * @param logProbability of it, 0 or less
 * @param best the most probable tokens, the best first, of equal ones the smallest id; as many as {@link GenerateOptions#logProbabilities} says
 */
public record TokenLogProbabilities(int id, double logProbability, List<TokenLogProbability> best) {
    /** Copies the list. */
    public TokenLogProbabilities {
        best = List.copyOf(best);
    }
}
