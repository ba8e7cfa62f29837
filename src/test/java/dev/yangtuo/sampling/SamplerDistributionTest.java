package dev.yangtuo.sampling;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What is drawn, 100,000 times, is distributed as {@link TextbookSampler} says: each sampler alone, and all of them together. */
class SamplerDistributionTest {
    private static final int DRAWS = 100_000;
    private static final int VOCABULARY = 40;
    private static final SamplingOptions PLAIN = new SamplingOptions(1f, 0, 1f, 0f, 1f);

    static List<SamplingOptions> each() {
        Truncation all = Truncation.OFF;
        return List.of(
                PLAIN.withTemperature(1.7f),
                PLAIN.with(new DynamicTemperature(0.8f, 1.5f)),
                PLAIN.with(all.withTopNSigma(1.1f)),
                PLAIN.withTopK(9),
                PLAIN.with(all.withTypicalP(0.7f)),
                PLAIN.withTopP(0.8f),
                PLAIN.withMinP(0.07f),
                PLAIN.with(new Xtc(0.4f, 0.06f)),
                PLAIN.with(new Penalties(1.4f, 12, 0.3f, 0.2f)),
                PLAIN.with(Dry.OFF.withMultiplier(0.9f).withAllowedLength(1)),
                PLAIN.with(TokenRules.NONE.plus(new TokenBias(TokenName.of(3), 2f)).plus(new TokenBias(TokenName.of(5), TokenBias.BAN))),
                PLAIN.with(TokenRules.NONE.plusRequired(TokenName.of(7)).plusRequired(TokenName.of(2)).plusRequired(TokenName.of(30))),
                PLAIN.with(TokenRules.NONE.withMinTokens(1)),
                all());
    }

    private static SamplingOptions all() {
        return new SamplingOptions(0.9f, new DynamicTemperature(0.4f, 1.2f), new Truncation(2f, 20, 0.95f, 0.95f, 0.02f), new Xtc(0.5f, 0.1f),
                new Penalties(1.2f, 20, 0.1f, 0.1f), Dry.OFF.withMultiplier(0.5f).withAllowedLength(1),
                Mirostat.OFF, TokenRules.NONE.withMinTokens(2).plus(new TokenBias(TokenName.of(1), 0.5f)));
    }

    @ParameterizedTest
    @MethodSource("each")
    void drawsAreDistributedAsTheTextbookSays(SamplingOptions options) {
        SplittableRandom random = new SplittableRandom(12);
        float[] logits = new float[VOCABULARY];
        for (int i = 0; i < logits.length; i++) {
            logits[i] = (float) random.nextGaussian() * 2;
        }
        List<Integer> tokens = new ArrayList<>();
        random.ints(40, 0, 6).forEach(tokens::add);
        Sampler sampler = new Sampler(options, 5, SamplerVocabulary.withoutTexts(DryBreakers.of(new int[] {4}), VOCABULARY, 0, 9), null, null);
        tokens.forEach(sampler::acceptPrompt);
        int[] counts = new int[VOCABULARY];
        float[] row = new float[VOCABULARY];
        for (int i = 0; i < DRAWS; i++) {
            System.arraycopy(logits, 0, row, 0, VOCABULARY);
            counts[sampler.sample(row)]++;
        }
        TextbookSampler.Text text = new TextbookSampler.Text(tokens, 0, Set.of(0, 9), List.of(List.of(4)), 0);
        ChiSquared.requireFit(counts, TextbookSampler.distribution(options, logits, text), options.toString());
    }

    /**
     * Mirostat's limit moves, so that each draw has a distribution of its own; they are added up. Texts are short: where the limit comes near a candidate, the last bit of a
     * probability decides, and from then on limits are different ones.
     */
    @Test
    void mirostatDrawsWhatItsLimitAllows() {
        SplittableRandom random = new SplittableRandom(3);
        float[] logits = new float[VOCABULARY];
        for (int i = 0; i < logits.length; i++) {
            logits[i] = (float) random.nextGaussian() * 2;
        }
        SamplingOptions options = PLAIN.withTemperature(1.3f).with(new Mirostat(true, 2.25f, 0.25f));
        Map<Integer, Double> expected = new HashMap<>();
        int[] counts = new int[VOCABULARY];
        for (int text = 0; text < DRAWS / 20; text++) {
            Sampler sampler = new Sampler(options, text, VOCABULARY);
            double mu = 4.5;
            for (int i = 0; i < 20; i++) {
                TextbookSampler.Text before = new TextbookSampler.Text(List.of(), 0, Set.of(), List.of(), mu);
                Map<Integer, Double> distribution = TextbookSampler.distribution(options, logits, before);
                int drawn = sampler.sample(logits.clone());
                assertThat(distribution).as("mu is %s", mu).containsKey(drawn);
                counts[drawn]++;
                distribution.forEach((id, p) -> expected.merge(id, p / DRAWS, Double::sum));
                mu -= 0.25 * (-Math.log(distribution.get(drawn)) / Math.log(2) - 2.25);
            }
        }
        ChiSquared.requireFit(counts, expected, options.toString());
    }
}
