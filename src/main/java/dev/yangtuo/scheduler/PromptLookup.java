package dev.yangtuo.scheduler;

/**
 * Guesses that a text repeats itself (prompt lookup decoding, Saxena 2023): the last tokens are looked for in the text before, the longest match first and of several
 * the latest; what followed there is the guess. Costs one look at the text, and pays where answers quote their prompt.
 */
public final class PromptLookup implements Drafter {
    /** Matches of fewer tokens are no reason to guess. */
    private static final int SHORTEST = 2;

    private static final int LONGEST = 5;
    private final int draftTokens;

    /** @param draftTokens guesses at a time, at least 1 */
    public PromptLookup(int draftTokens) {
        if (draftTokens < 1) {
            throw new IllegalArgumentException("%d guesses at a time are not possible, 1 and more are".formatted(draftTokens));
        }
        this.draftTokens = draftTokens;
    }

    @Override
    public int draft(int[] tokens, int count, int[] target, int most) {
        int bestLength = SHORTEST - 1;
        int bestEnd = 0;
        for (int end = count - 1; end >= SHORTEST && bestLength < LONGEST; end--) {
            int length = 0;
            while (length < LONGEST && length < end && tokens[end - 1 - length] == tokens[count - 1 - length]) {
                length++;
            }
            if (length > bestLength) {
                bestLength = length;
                bestEnd = end;
            }
        }
        if (bestLength < SHORTEST) {
            return 0;
        }
        int guesses = Math.min(Math.min(draftTokens, most), count - bestEnd);
        System.arraycopy(tokens, bestEnd, target, 0, guesses);
        return guesses;
    }

    @Override
    public void close() {}
}
