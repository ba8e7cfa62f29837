package dev.yangtuo.sampling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.yangtuo.exception.YangtuoException;
import dev.yangtuo.kernel.Backend;
import dev.yangtuo.kernel.Batch;
import dev.yangtuo.kernel.BatchCapacity;
import dev.yangtuo.kernel.Candidates;
import dev.yangtuo.kernel.DeviceFloats;
import dev.yangtuo.kernel.OutputWeights;
import dev.yangtuo.kernel.ScalarBackend;
import dev.yangtuo.kernel.WeightMatrix;
import dev.yangtuo.tensor.TensorType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** What is drawn of candidates that the device chose is what would have been drawn of all logits. */
class SamplerCandidatesTest {
    /** Candidates of one output whose logits are given: the output matrix has one column, which holds them, and its input is 1. */
    private static Candidates choose(Sampler sampler, float[] logits) {
        try (Backend backend = new ScalarBackend(1); Arena arena = Arena.ofConfined();
                WeightMatrix matrix = backend.createMatrix(TensorType.F32, logits.length, 1); Batch batch = backend.createBatch(new BatchCapacity(1, 1, 1, 2));
                DeviceFloats one = backend.createFloats(1); DeviceFloats out = backend.createFloats(logits.length)) {
            MemorySegment rows = arena.allocate(4L * logits.length, 8);
            MemorySegment.copy(logits, 0, rows, ValueLayout.JAVA_FLOAT, 0, logits.length);
            matrix.upload(0, logits.length, rows);
            one.upload(0, new float[] {1f}, 0, 1);
            batch.addColumn(0, 0, batch.addSequence(new int[] {0}, 1), true);
            batch.upload();
            Candidates candidates = backend.createCandidates();
            candidates.clear(sampler.candidateCount(), sampler.choices());
            sampler.addEdits(candidates);
            backend.logits(backend.createOutputLayer(new OutputWeights(one, matrix, 0f)), batch, one, out, candidates);
            return candidates;
        }
    }

    @Test
    void theSameTokensAsOfAllLogits() {
        SplittableRandom random = new SplittableRandom(7);
        int compared = 0;
        for (int round = 0; round < 200; round++) {
            int count = 5 + random.nextInt(300);
            SamplingOptions options = new SamplingOptions(random.nextInt(4) == 0 ? 0f : 0.2f + (float) random.nextDouble(), 1 + random.nextInt(60),
                    random.nextBoolean() ? 1f : 0.9f, random.nextBoolean() ? 0f : 0.05f, random.nextBoolean() ? 1f : 1.3f);
            // Some rows are padding.
            Sampler ofAll = new Sampler(options, round, count - 2);
            Sampler ofFew = new Sampler(options, round, count - 2);
            for (int draw = 0; draw < 10; draw++) {
                float[] logits = new float[count];
                for (int i = 0; i < count; i++) {
                    logits[i] = i >= count - 2 ? 100f : Math.round(random.nextGaussian() * 20) / 10f;
                }
                if (ofFew.candidateCount() == 0) {
                    continue;
                }
                Candidates chosen = choose(ofFew, logits);
                int expected = ofAll.sample(logits.clone());
                assertThat(ofFew.sample(chosen, 0)).as("round %d, %s", round, options).isEqualTo(expected);
                ofAll.accept(expected);
                ofFew.accept(expected);
                compared++;
            }
        }
        assertThat(compared).isGreaterThan(1000);
    }

    @Test
    void candidatesServeOnlyOptionsThatKeepFew() {
        SamplingOptions options = SamplingOptions.DEFAULT;
        assertThat(new Sampler(SamplingOptions.GREEDY, 1, 5000).candidateCount()).isEqualTo(1);
        assertThat(new Sampler(options, 1, 5000).candidateCount()).isEqualTo(40);
        assertThat(new Sampler(options.withTopK(0), 1, 5000).candidateCount()).isZero();
        assertThat(new Sampler(options.withTopK(Candidates.MAX_COUNT), 1, 5000).candidateCount()).isEqualTo(Candidates.MAX_COUNT);
        assertThat(new Sampler(options.withTopK(Candidates.MAX_COUNT + 1), 1, 5000).candidateCount()).isZero();
        assertThat(new Sampler(options, 1, 40).candidateCount()).isZero();
        assertThat(new Sampler(options, 1, 41).candidateCount()).isEqualTo(40);
    }

    @Test
    void logitsThatAreNoNumbersAreAnError() {
        Sampler sampler = new Sampler(SamplingOptions.GREEDY, 1, 4);
        assertThatThrownBy(() -> sampler.sample(choose(sampler, new float[] {1, 2, Float.NaN, 3}), 0))
                .isInstanceOf(YangtuoException.class).hasMessageContaining("NaN").hasMessageContaining("token 2");
        assertThatThrownBy(() -> sampler.sample(choose(sampler, new float[] {1, 2, Float.POSITIVE_INFINITY, 3}), 0))
                .isInstanceOf(YangtuoException.class).hasMessageContaining("finite");
    }
}
