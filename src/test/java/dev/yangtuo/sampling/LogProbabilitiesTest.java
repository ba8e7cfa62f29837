package dev.yangtuo.sampling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Comparator;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class LogProbabilitiesTest {
    @Test
    void theSumIsTheSoftmaxs() {
        float[] logits = {9f, 1f, 2f, 3f, 9f};
        assertThat(LogProbabilities.logSumExp(logits, 1, 3)).isCloseTo(Math.log(Math.exp(1) + Math.exp(2) + Math.exp(3)), within(1e-14));
        assertThat(LogProbabilities.logSumExp(new float[] {1e30f, -1e30f}, 0, 2)).as("nothing overflows").isEqualTo(1e30f);
        assertThat(LogProbabilities.logSumExp(new float[] {1f, Float.NaN}, 0, 2)).isNaN();
    }

    @Test
    void theBestAreThoseOfASort() {
        Random random = new Random(5);
        for (int round = 0; round < 200; round++) {
            int count = 1 + random.nextInt(60);
            float[] logits = new float[count + 3];
            for (int i = 0; i < logits.length; i++) {
                logits[i] = random.nextInt(round % 2 == 0 ? 5 : 10_000) - 2; // many are equal, or few
            }
            int n = random.nextInt(Math.min(count, 20) + 1);
            int[] expected = IntStream.range(0, count).boxed().sorted(Comparator.comparingDouble(id -> -logits[3 + id])).limit(n).mapToInt(id -> id).toArray();
            assertThat(LogProbabilities.best(logits, 3, count, n)).isEqualTo(expected);
        }
    }
}
