package dev.yangtuo.sampling;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/** Random texts, logits and options, of small vocabularies so that everything occurs often. */
final class RandomSampling {
    private RandomSampling() {}

    /** Multiples of a quarter in some rounds, so that many are equal; some minus infinity. */
    static float[] logits(SplittableRandom random, int count) {
        float[] logits = new float[count];
        boolean coarse = random.nextInt(3) == 0;
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

    /** Few tokens, so that sequences repeat. */
    static List<Integer> tokens(SplittableRandom random, int most, int vocabulary) {
        List<Integer> tokens = new ArrayList<>();
        int different = 1 + random.nextInt(vocabulary);
        for (int i = random.nextInt(most + 1); i > 0; i--) {
            tokens.add(random.nextInt(different));
        }
        return tokens;
    }

    private static boolean often(SplittableRandom random) {
        return random.nextInt(2) == 0;
    }

    private static float between(SplittableRandom random, double low, double high) {
        return (float) (low + (high - low) * random.nextDouble());
    }

    static Penalties penalties(SplittableRandom random) {
        return new Penalties(often(random) ? 1f : between(random, 0.6, 1.8), random.nextInt(3) == 0 ? -1 : random.nextInt(25), often(random) ? 0f : between(random, -1, 1),
                often(random) ? 0f : between(random, -0.5, 0.5));
    }

    static Dry dry(SplittableRandom random) {
        return new Dry(between(random, 0.1, 1.5), between(random, 1, 2), random.nextInt(4), random.nextInt(3) == 0 ? -1 : random.nextInt(30), List.of());
    }

    static Truncation truncation(SplittableRandom random) {
        return new Truncation(often(random) ? 0f : between(random, 0.3, 3), often(random) ? 0 : random.nextInt(50), often(random) ? 1f : between(random, 0.2, 0.99),
                often(random) ? 1f : between(random, 0.1, 0.99), often(random) ? 0f : between(random, 0, 0.4));
    }

    static TokenRules rules(SplittableRandom random, int vocabulary) {
        TokenRules rules = TokenRules.NONE;
        for (int i = random.nextInt(4); i > 0; i--) {
            rules = rules.plus(new TokenBias(TokenName.of(random.nextInt(vocabulary)), random.nextInt(4) == 0 ? TokenBias.BAN : between(random, -3, 3)));
        }
        return rules;
    }

    /** Some of everything but mirostat, required tokens and minimum of tokens. */
    static SamplingOptions options(SplittableRandom random, int vocabulary) {
        SamplingOptions options = new SamplingOptions(random.nextInt(8) == 0 ? 0f : between(random, 0.2, 2), 0, 1f, 0f, 1f);
        options = often(random) ? options : options.with(penalties(random));
        options = often(random) ? options : options.with(dry(random));
        options = options.with(truncation(random)).with(rules(random, vocabulary));
        options = often(random) ? options : options.with(new DynamicTemperature(between(random, 0.1, 1.5), between(random, 0.5, 2)));
        return often(random) ? options : options.with(new Xtc(often(random) ? 1f : between(random, 0, 1), between(random, 0, 0.5)));
    }
}
