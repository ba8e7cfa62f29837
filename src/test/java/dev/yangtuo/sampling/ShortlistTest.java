package dev.yangtuo.sampling;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Comparator;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;

/** The best candidates are found without keeping all of them, in whatever order they come. */
class ShortlistTest {
    private static float[] logits(SplittableRandom random, int count) {
        float[] logits = new float[count];
        int order = random.nextInt(4);
        for (int i = 0; i < count; i++) {
            logits[i] = switch (order) {
                case 0 -> i;
                case 1 -> -i;
                case 2 -> random.nextInt(5);
                default -> (float) random.nextGaussian();
            };
            logits[i] = random.nextInt(10) == 0 ? Float.NEGATIVE_INFINITY : logits[i];
        }
        logits[random.nextInt(count)] = 2f;
        return logits;
    }

    @Property(tries = 500, seed = "1")
    void theBestAreThoseOfASort(@ForAll long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        float[] logits = logits(random, 1 + random.nextInt(4000));
        int most = 1 + random.nextInt(random.nextBoolean() ? 10 : 1500);
        List<Integer> expected = IntStream.range(0, logits.length).boxed().filter(id -> logits[id] != Float.NEGATIVE_INFINITY)
                .sorted(Comparator.comparingDouble(id -> -logits[id])).limit(most < logits.length ? most : Integer.MAX_VALUE).toList();
        Shortlist shortlist = new Shortlist();
        shortlist.fill(logits, logits.length, most, logits[expected.getFirst()]);
        shortlist.keepBest(most);
        List<Integer> actual = IntStream.range(0, shortlist.count()).map(shortlist::id).boxed().toList();
        if (most < logits.length) {
            assertThat(actual).isEqualTo(expected);
        } else {
            assertThat(actual).as("all, as they were").isSorted().containsExactlyInAnyOrderElementsOf(expected);
        }
    }
}
