package dev.yangtuo.benchmarks.tokenizer;

import java.util.Arrays;
import java.util.List;

/**
 * How far two encoders agree.
 *
 * @param texts how many were compared
 * @param differing how many of them got different ids
 * @param tokens ids of the first encoder, of all texts
 * @param otherTokens ids of the second
 */
record Agreement(int texts, int differing, long tokens, long otherTokens) {
    /** {@return the agreement of two encoders} */
    static Agreement between(TextEncoder first, TextEncoder second, List<String> texts) {
        int differing = 0;
        long tokens = 0;
        long otherTokens = 0;
        for (String text : texts) {
            int[] ids = first.ids(text);
            int[] otherIds = second.ids(text);
            differing += Arrays.equals(ids, otherIds) ? 0 : 1;
            tokens += ids.length;
            otherTokens += otherIds.length;
        }
        return new Agreement(texts.size(), differing, tokens, otherTokens);
    }

    /**
     * Compares ours with SentencePiece's.
     *
     * @throws IllegalStateException if one id of one text differs
     */
    static void require(TextEncoder ours, TextEncoder sentencePiece, List<String> texts) {
        for (int i = 0; i < texts.size(); i++) {
            String text = texts.get(i);
            int[] actual = ours.ids(text);
            int[] expected = sentencePiece.ids(text);
            int at = Arrays.mismatch(actual, expected);
            if (at >= 0) {
                throw new IllegalStateException("text %d, \"%s\": from the id at index %d on %s, SentencePiece says %s"
                        .formatted(i, shortened(text), at, from(actual, at), from(expected, at)));
            }
        }
    }

    private static String shortened(String text) {
        return text.length() <= 100 ? text : text.substring(0, 100) + "...";
    }

    private static String from(int[] ids, int start) {
        return Arrays.toString(Arrays.copyOfRange(ids, start, Math.min(ids.length, start + 10)));
    }
}
