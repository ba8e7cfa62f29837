package dev.yangtuo.sampling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;

/**
 * Whatever the options, logits and tokens: what is drawn from has the probabilities of {@link TextbookSampler}. Seeds are fixed: once in some ten thousand times a sum of
 * probabilities is so near to a limit that single and double precision are on different sides of it.
 */
class SamplerPropertiesTest {
    private static final SamplingOptions PLAIN = new SamplingOptions(1f, 0, 1f, 0f, 1f);

    private static void requireTheTextbooks(SamplingOptions options, SplittableRandom random, List<List<Integer>> breakers) {
        float[] logits = RandomSampling.logits(random, 8 + random.nextInt(60));
        List<Integer> tokens = RandomSampling.tokens(random, 60, logits.length);
        DryBreakers known = DryBreakers.of(breakers.stream().map(breaker -> breaker.stream().mapToInt(id -> id).toArray()).toArray(int[][]::new));
        Sampler sampler = new Sampler(options, random.nextLong(), SamplerVocabulary.withoutTexts(known, logits.length), null, null);
        tokens.forEach(sampler::acceptPrompt);
        TextbookSampler.Text text = new TextbookSampler.Text(tokens, 0, Set.of(), breakers, 0);
        Map<Integer, Double> expected = new HashMap<>(TextbookSampler.distribution(options, logits, text));
        expected.values().removeIf(p -> p < 1e-12);
        Shortlist left = sampler.shortlist(logits);
        double sum = 0;
        for (int i = 0; i < left.count(); i++) {
            sum += left.weight(i);
        }
        Map<Integer, Double> actual = new HashMap<>();
        for (int i = 0; i < left.count(); i++) {
            actual.put(left.id(i), left.weight(i) / sum);
        }
        actual.values().removeIf(p -> p < 1e-12);
        assertThat(actual.keySet()).as("%s, after %s", options, tokens).isEqualTo(expected.keySet());
        // Logits of about 10 have seven digits, which a low temperature enlarges.
        actual.forEach((id, p) -> assertThat(p).as("id %d; %s, after %s", id, options, tokens).isCloseTo(expected.get(id), within(1e-5)));
    }

    private static void requireTheTextbooks(SamplingOptions options, SplittableRandom random) {
        requireTheTextbooks(options, random, List.of());
    }

    /** Always or never: what is random is in no table of probabilities. */
    private static SamplingOptions withCertainXtc(SamplingOptions options) {
        return options.with(new Xtc(options.xtc().probability() > 0 ? 1f : 0f, options.xtc().threshold()));
    }

    @Property(tries = 3000, seed = "1")
    void allTogether(@ForAll long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        requireTheTextbooks(withCertainXtc(RandomSampling.options(random, 8)), random);
    }

    @Property(tries = 500, seed = "1")
    void penaltiesAlone(@ForAll long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        requireTheTextbooks(PLAIN.with(RandomSampling.penalties(random)), random);
    }

    @Property(tries = 1000, seed = "1")
    void dryAlone(@ForAll long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        List<List<Integer>> breakers = new ArrayList<>();
        for (int i = random.nextInt(4); i > 0; i--) {
            breakers.add(random.ints(1 + random.nextInt(3), 0, 8).boxed().toList());
        }
        requireTheTextbooks(PLAIN.with(RandomSampling.dry(random)), random, breakers);
    }

    @Property(tries = 500, seed = "1")
    void biasesAlone(@ForAll long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        requireTheTextbooks(PLAIN.with(RandomSampling.rules(random, 8)), random);
    }

    @Property(tries = 500, seed = "1")
    void topNSigmaAlone(@ForAll long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        requireTheTextbooks(PLAIN.with(Truncation.OFF.withTopNSigma(0.2f + 3 * (float) random.nextDouble())), random);
    }

    @Property(tries = 500, seed = "1")
    void topKAlone(@ForAll long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        requireTheTextbooks(PLAIN.withTopK(2 + random.nextInt(70)), random);
    }

    @Property(tries = 500, seed = "1")
    void typicalAlone(@ForAll long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        requireTheTextbooks(PLAIN.with(Truncation.OFF.withTypicalP(0.1f + 0.89f * (float) random.nextDouble())), random);
    }

    @Property(tries = 500, seed = "1")
    void topPAlone(@ForAll long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        requireTheTextbooks(PLAIN.withTopP(0.05f + 0.94f * (float) random.nextDouble()), random);
    }

    @Property(tries = 500, seed = "1")
    void minPAlone(@ForAll long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        requireTheTextbooks(PLAIN.withMinP((float) random.nextDouble()), random);
    }

    @Property(tries = 500, seed = "1")
    void xtcAlone(@ForAll long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        requireTheTextbooks(PLAIN.with(new Xtc(1f, 0.5f * (float) random.nextDouble())), random);
    }

    @Property(tries = 500, seed = "1")
    void dynamicTemperatureAlone(@ForAll long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        SamplingOptions options = PLAIN.withTemperature((float) random.nextDouble() * 1.5f);
        requireTheTextbooks(options.with(new DynamicTemperature(0.1f + (float) random.nextDouble(), 0.3f + 2 * (float) random.nextDouble())), random);
    }

    /** Guesses that are put behind the text and taken away again leave nothing. */
    @Property(tries = 500, seed = "1")
    void penaltiesOfTokensThatGoAgainAreGone(@ForAll long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        int vocabulary = 3 + random.nextInt(10);
        PenaltyStep step = new PenaltyStep(RandomSampling.penalties(random).withLastN(random.nextInt(3) == 0 ? -1 : 1 + random.nextInt(8)).withFrequency(1f), vocabulary);
        TokenHistory history = new TokenHistory();
        Map<Integer, Float> before = new HashMap<>();
        Map<Integer, Float> after = new HashMap<>();
        for (int round = 0; round < 30; round++) {
            history.push(random.nextInt(vocabulary + 2) - 1);
            step.pushed(history);
            before.clear();
            step.edit(history, (id, divisor, addend) -> before.put(id, addend));
            int guesses = random.nextInt(6);
            for (int i = 0; i < guesses; i++) {
                history.push(random.nextInt(vocabulary + 2) - 1);
                step.pushed(history);
            }
            for (int i = 0; i < guesses; i++) {
                step.popping(history);
                history.pop();
            }
            after.clear();
            step.edit(history, (id, divisor, addend) -> after.put(id, addend));
            assertThat(after).isEqualTo(before);
        }
    }
}
