package dev.yangtuo.sampling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.management.ThreadMXBean;
import dev.yangtuo.exception.YangtuoException;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** Each step of sampling, alone and together, against {@link TextbookSampler}. */
class SamplerTest {
    private static final long SEED = 20_260_101;
    private static final SamplingOptions PLAIN = new SamplingOptions(1f, 0, 1f, 0f, 1f);

    /** Multiples of a quarter in some rounds, so that many are equal; some minus infinity. */
    private static float[] randomLogits(SplittableRandom random, int count) {
        float[] logits = new float[count];
        boolean coarse = random.nextBoolean();
        for (int i = 0; i < count; i++) {
            float value = (float) random.nextGaussian() * 2;
            logits[i] = coarse ? Math.round(value * 4) / 4f : value;
            if (random.nextInt(20) == 0) {
                logits[i] = Float.NEGATIVE_INFINITY;
            }
        }
        logits[random.nextInt(count)] = 1f;
        return logits;
    }

    /** Draws often and compares what came with the textbook's probabilities. */
    private static void requireDistribution(SamplingOptions options, float[] logits, List<Integer> seen, int draws) {
        Map<Integer, Double> expected = TextbookSampler.distribution(options, logits, TextbookSampler.Text.of(seen));
        int[] counts = new int[logits.length];
        Sampler sampler = new Sampler(options, SEED, logits.length);
        seen.forEach(sampler::acceptPrompt);
        for (int i = 0; i < draws; i++) {
            counts[sampler.sample(logits.clone())]++;
        }
        String what = "%s, seen %s, logits %s, seed %d".formatted(options, seen, Arrays.toString(logits), SEED);
        ChiSquared.requireFit(counts, expected, what);
    }

    @Test
    void drawsAreDistributedAsTheTextbookSays() {
        float[] logits = {0.5f, 2f, -1f, 2f, 0f, -3f, 1.25f, Float.NEGATIVE_INFINITY, 1.25f};
        for (SamplingOptions options : List.of(
                PLAIN, PLAIN.withTemperature(0.3f), PLAIN.withTemperature(3f), PLAIN.withTopK(3), PLAIN.withTopK(4), PLAIN.withTopP(0.5f),
                PLAIN.withTopP(0.9f), PLAIN.withMinP(0.2f), PLAIN.withMinP(1f), PLAIN.withRepeatPenalty(1.5f), PLAIN.withRepeatPenalty(0.5f),
                new SamplingOptions(0.8f, 6, 0.9f, 0.1f, 1.2f))) {
            requireDistribution(options, logits, List.of(1, 2, 4), 100_000);
        }
    }

    @Test
    void allOptionsTogetherDrawOnlyAndAllThatTheTextbookKeeps() {
        SplittableRandom random = new SplittableRandom(SEED);
        int compared = 0;
        for (int round = 0; round < 300; round++) {
            float[] logits = randomLogits(random, 1 + random.nextInt(40));
            List<Integer> seen = new ArrayList<>();
            for (int i = random.nextInt(10); i > 0; i--) {
                seen.add(random.nextInt(logits.length));
            }
            SamplingOptions options = new SamplingOptions(
                    0.1f + (float) random.nextDouble() * 2, random.nextInt(50),
                    random.nextInt(3) == 0 ? 1f : 0.05f + 0.9f * (float) random.nextDouble(),
                    random.nextBoolean() ? 0f : (float) random.nextDouble() * 0.5f,
                    random.nextBoolean() ? 1f : 0.5f + (float) random.nextDouble());
            requireDistribution(options, logits, seen, 400);
            compared++;
        }
        assertThat(compared).isEqualTo(300);
    }

    @Test
    void greedyTakesTheFirstOfTheLargest() {
        SplittableRandom random = new SplittableRandom(SEED);
        for (int round = 0; round < 200; round++) {
            float[] logits = randomLogits(random, 1 + random.nextInt(100));
            int expected = TextbookSampler.distribution(SamplingOptions.GREEDY, logits, TextbookSampler.Text.of(List.of())).keySet().iterator().next();
            assertThat(new Sampler(SamplingOptions.GREEDY, round, logits.length).sample(logits.clone())).isEqualTo(expected);
            assertThat(new Sampler(PLAIN.withTopK(1), round, logits.length).sample(logits.clone())).isEqualTo(expected);
        }
        assertThat(new Sampler(SamplingOptions.GREEDY, 1, 3).sample(new float[] {-0f, 0f, -0f})).isZero();
    }

    /** A top-p that is smaller than the probability of each of them leaves the best one. */
    @Test
    void tinyTopPOfEqualLogitsIsGreedy() {
        for (int count : new int[] {1, 2, 3, 50}) {
            assertThat(new Sampler(PLAIN.withTopP(0.001f), 1, count).sample(new float[count])).as("%d logits", count).isZero();
        }
    }

    @Test
    void hugeTopKKeepsAll() {
        float[] logits = randomLogits(new SplittableRandom(3), 50);
        for (int topK : new int[] {0, 50, 51, Integer.MAX_VALUE}) {
            assertThat(draws(PLAIN.withTopK(topK), logits, 9)).as("top-k %d", topK).isEqualTo(draws(PLAIN, logits, 9));
        }
    }

    @Test
    void sameSeedDrawsTheSame() {
        float[] logits = randomLogits(new SplittableRandom(5), 1000);
        SamplingOptions options = new SamplingOptions(1.5f, 0, 0.99f, 0f, 1.1f);
        assertThat(draws(options, logits, 42)).isEqualTo(draws(options, logits, 42)).isNotEqualTo(draws(options, logits, 43));
    }

    private static List<Integer> draws(SamplingOptions options, float[] logits, long seed) {
        Sampler sampler = new Sampler(options, seed, logits.length);
        List<Integer> ids = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            int id = sampler.sample(logits.clone());
            sampler.accept(id);
            ids.add(id);
        }
        return ids;
    }

    @Test
    void penaltyCountsATokenOnceAndIgnoresForeignIds() {
        Sampler sampler = new Sampler(SamplingOptions.GREEDY.withRepeatPenalty(1.5f), 1, 3);
        assertThat(sampler.sample(new float[] {2f, 1.9f, -1f})).isZero();
        for (int id : new int[] {0, 0, 0, -1, 3, Integer.MAX_VALUE, Integer.MIN_VALUE}) {
            sampler.accept(id);
        }
        // 2 / 1.5 = 1.33; twice it would be 0.89.
        assertThat(sampler.sample(new float[] {2f, 1.3f, -1f})).isZero();
        assertThat(sampler.sample(new float[] {2f, 1.4f, -1f})).isEqualTo(1);
        // Negative logits go down, too: -1 becomes -1.5.
        assertThat(sampler.sample(new float[] {-1f, -1.4f, -1.6f})).isEqualTo(1);
    }

    /** Nothing that grows with the vocabulary; the JDK's sort takes some hundred bytes. */
    @Test
    void aTokenTakesNoMemory() {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        SamplingOptions all = new SamplingOptions(0.9f, new DynamicTemperature(0.4f, 1.2f), new Truncation(3f, 60, 0.95f, 0.95f, 0.02f), new Xtc(0.5f, 0.1f),
                new Penalties(1.2f, 20, 0.1f, 0.1f), Dry.OFF.withMultiplier(0.5f), Mirostat.OFF, TokenRules.NONE.plus(new TokenBias(TokenName.of(1), 0.5f)).withMinTokens(9));
        int vocabulary = 5000;
        for (SamplingOptions options : List.of(SamplingOptions.GREEDY, SamplingOptions.DEFAULT, all, all.withTopK(0), all.with(new Mirostat(true, 3f, 0.1f)))) {
            Sampler sampler = new Sampler(options, 1, vocabulary);
            float[] logits = randomLogits(new SplittableRandom(4), vocabulary);
            float[] row = new float[vocabulary];
            long before = 0;
            for (int i = 0; i < 400; i++) {
                before = i == 300 ? threads.getCurrentThreadAllocatedBytes() : before; // what grows with the text has grown at 256 tokens
                System.arraycopy(logits, 0, row, 0, vocabulary);
                sampler.accept(sampler.sample(row));
            }
            assertThat((threads.getCurrentThreadAllocatedBytes() - before) / 100).as("bytes of a token, %s", options).isLessThan(2500);
        }
    }

    @Test
    void idsBeyondTheVocabularyAreNeverDrawn() {
        float[] logits = new float[20];
        Arrays.fill(logits, 10, 20, 50f);
        for (SamplingOptions options : List.of(SamplingOptions.GREEDY, PLAIN, PLAIN.withTopK(5), PLAIN.withTopP(0.9f), PLAIN.withMinP(0.5f))) {
            Sampler sampler = new Sampler(options, 1, 10);
            for (int i = 0; i < 200; i++) {
                assertThat(sampler.sample(logits.clone())).as("%s", options).isBetween(0, 9);
            }
        }
    }

    @Test
    void logitsThatAreNoNumbersAreAnError() {
        for (SamplingOptions options : List.of(SamplingOptions.GREEDY, PLAIN, SamplingOptions.DEFAULT)) {
            for (int at = 0; at < 3; at++) {
                float[] logits = {1, 2, 3};
                logits[at] = Float.NaN;
                int bad = at;
                assertThatThrownBy(() -> new Sampler(options, 1, 3).sample(logits))
                        .isInstanceOf(YangtuoException.class).hasMessageContaining("NaN").hasMessageContaining("token " + bad);
            }
            float[] none = {Float.NEGATIVE_INFINITY, Float.NEGATIVE_INFINITY};
            assertThatThrownBy(() -> new Sampler(options, 1, 2).sample(none)).isInstanceOf(YangtuoException.class).hasMessageContaining("finite");
            float[] infinite = {0, Float.POSITIVE_INFINITY};
            assertThatThrownBy(() -> new Sampler(options, 1, 2).sample(infinite)).isInstanceOf(YangtuoException.class);
        }
    }

    @Test
    void extremeTemperaturesStayInRange() {
        float[] logits = {5f, 4.99f, -80f, Float.NEGATIVE_INFINITY};
        for (float temperature : new float[] {Float.MIN_VALUE, 1e-10f, 1e10f, Float.MAX_VALUE}) {
            Sampler sampler = new Sampler(PLAIN.withTemperature(temperature), 1, 4);
            for (int i = 0; i < 100; i++) {
                assertThat(sampler.sample(logits.clone())).as("temperature %s", temperature).isBetween(0, temperature < 1 ? 0 : 2);
            }
        }
    }

    @Test
    void optionsOutOfRangeAreRefusedByName() {
        for (float bad : new float[] {-0.1f, Float.NaN, Float.POSITIVE_INFINITY}) {
            assertThatIllegalArgumentException().isThrownBy(() -> PLAIN.withTemperature(bad)).withMessageContaining("temperature");
            assertThatIllegalArgumentException().isThrownBy(() -> PLAIN.withTopP(bad)).withMessageContaining("top-p");
            assertThatIllegalArgumentException().isThrownBy(() -> PLAIN.withMinP(bad)).withMessageContaining("min-p");
            assertThatIllegalArgumentException().isThrownBy(() -> PLAIN.withRepeatPenalty(bad)).withMessageContaining("penalty");
        }
        assertThatIllegalArgumentException().isThrownBy(() -> PLAIN.withTopK(-1)).withMessageContaining("top-k");
        assertThatIllegalArgumentException().isThrownBy(() -> PLAIN.withTopP(0f));
        assertThatIllegalArgumentException().isThrownBy(() -> PLAIN.withRepeatPenalty(0f));
    }

    /** Not blamed on the model. */
    @Test
    void whatBiasesAndPenaltiesMakeInfiniteIsSaid() {
        TokenBias large = new TokenBias(TokenName.of(1), 3e38f);
        Sampler biased = new Sampler(PLAIN.with(TokenRules.NONE.plus(large).plus(large)), SEED, 3);
        assertThatThrownBy(() -> biased.sample(new float[] {1f, 2f, 3f})).isInstanceOf(YangtuoException.class)
                .hasMessageContaining("the logit of token 1 is Infinity: the biases or penalties are too large");
        Sampler penalized = new Sampler(PLAIN.withRepeatPenalty(1e-45f), SEED, 3);
        penalized.acceptPrompt(2);
        assertThatThrownBy(() -> penalized.sample(new float[] {1f, 2f, 3f})).isInstanceOf(YangtuoException.class)
                .hasMessageContaining("the logit of token 2 is Infinity: the biases or penalties are too large");
    }
}
