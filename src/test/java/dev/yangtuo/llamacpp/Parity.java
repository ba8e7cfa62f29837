package dev.yangtuo.llamacpp;

import dev.yangtuo.GenerateOptions;
import dev.yangtuo.Llama;
import dev.yangtuo.PerplexityMethod;
import dev.yangtuo.PerplexityOptions;
import java.util.List;

/**
 * How far two engines are from each other with one model, over the positions of a text.
 *
 * @param meanDivergence Kullback-Leibler divergence of the second's distribution of the next token from the first's, in nats, on average
 * @param largestDivergence the largest of one position
 * @param sameBest share of the positions where both have the same most likely token
 */
record Parity(double meanDivergence, double largestDivergence, double sameBest) {
    /** @param positions how many, from the first on */
    static Parity of(Llama first, Llama second, int[] ids, int positions) {
        float[][] expected = logits(first, ids, positions);
        float[][] actual = logits(second, ids, positions);
        double sum = 0;
        double largest = 0;
        int same = 0;
        for (int i = 0; i < positions; i++) {
            double divergence = divergence(expected[i], actual[i]);
            sum += divergence;
            largest = Math.max(largest, divergence);
            same += best(expected[i]) == best(actual[i]) ? 1 : 0;
        }
        return new Parity(sum / positions, largest, (double) same / positions);
    }

    private static float[][] logits(Llama llama, int[] ids, int positions) {
        float[][] rows = new float[positions][llama.vocabSize()];
        llama.logits(ids, (position, logits, offset) -> {
            if (position < positions) {
                System.arraycopy(logits, offset, rows[position], 0, rows[position].length);
            }
        });
        return rows;
    }

    private static double divergence(float[] expected, float[] actual) {
        double expectedLog = logSum(expected);
        double actualLog = logSum(actual);
        double divergence = 0;
        for (int i = 0; i < expected.length; i++) {
            double logProbability = expected[i] - expectedLog;
            divergence += Math.exp(logProbability) * (logProbability - (actual[i] - actualLog));
        }
        return divergence;
    }

    private static double logSum(float[] logits) {
        double most = logits[best(logits)];
        double sum = 0;
        for (float logit : logits) {
            sum += Math.exp(logit - most);
        }
        return most + Math.log(sum);
    }

    private static int best(float[] logits) {
        int best = 0;
        for (int i = 1; i < logits.length; i++) {
            best = logits[i] > logits[best] ? i : best;
        }
        return best;
    }

    /** How much larger the first engine's logit of its own choice is than of the second's, where their greedy texts part; 0 if they are the same to the end. */
    static double gapWhereGreedyTextsPart(Llama first, Llama second, String prompt, int tokens) {
        GenerateOptions greedy = GenerateOptions.defaults().greedy().maxTokens(tokens);
        List<Integer> expected = first.generate(prompt, greedy).result().ids();
        List<Integer> actual = second.generate(prompt, greedy).result().ids();
        int same = 0;
        while (same < Math.min(expected.size(), actual.size()) && expected.get(same).equals(actual.get(same))) {
            same++;
        }
        if (same == expected.size() && same == actual.size()) {
            return 0;
        }
        if (same == Math.min(expected.size(), actual.size())) {
            return Double.POSITIVE_INFINITY; // one of them ended, which its ids do not show
        }
        int[] encoded = first.tokenizer().encode(prompt);
        int[] ids = new int[1 + encoded.length + same];
        ids[0] = first.tokenizer().bosId();
        System.arraycopy(encoded, 0, ids, 1, encoded.length);
        for (int i = 0; i < same; i++) {
            ids[1 + encoded.length + i] = expected.get(i);
        }
        float[] last = new float[first.vocabSize()];
        first.logits(ids, (position, logits, offset) -> System.arraycopy(logits, offset, last, 0, last.length));
        return last[expected.get(same)] - last[actual.get(same)];
    }

    /** By how much the second's perplexity differs, as a share of the first's; computed as llama.cpp's program does. */
    static double perplexityDifference(Llama first, Llama second, String text, int context) {
        PerplexityOptions options = PerplexityOptions.defaults().method(PerplexityMethod.LLAMA_CPP).context(context);
        double expected = first.perplexity(text, options).value();
        return Math.abs(second.perplexity(text, options).value() - expected) / expected;
    }
}
