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
    private static Candidates choose(Sampler sampler, float[] logits, int... guesses) {
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
            sampler.addEdits(candidates, guesses, 0, guesses.length);
            backend.logits(backend.createOutputLayer(new OutputWeights(one, matrix, 0f)), batch, one, out, candidates);
            return candidates;
        }
    }

    /** Whatever can be chosen on the device: penalties, DRY, biases, a minimum of tokens; and behind top-k everything. */
    private static SamplingOptions options(SplittableRandom random) {
        SamplingOptions options = RandomSampling.options(random, 8);
        options = options.with(options.truncation().withTopNSigma(0f)).withTopK(random.nextInt(6) == 0 ? 0 : 1 + random.nextInt(60));
        return options.with(options.rules().withMinTokens(random.nextInt(8)));
    }

    @Test
    void theSameTokensAsOfAllLogits() {
        SplittableRandom random = new SplittableRandom(7);
        int compared = 0;
        for (int round = 0; round < 400; round++) {
            int count = 20 + random.nextInt(300);
            SamplingOptions options = options(random);
            // Some rows are padding.
            SamplerVocabulary vocabulary = SamplerVocabulary.withoutTexts(DryBreakers.of(new int[] {3}, new int[] {1, 2}), count - 2, 4, 11);
            Sampler ofAll = new Sampler(options, round, vocabulary, null, null);
            Sampler ofFew = new Sampler(options, round, vocabulary, null, null);
            for (int id : RandomSampling.tokens(random, 40, 10)) {
                ofAll.acceptPrompt(id);
                ofFew.acceptPrompt(id);
            }
            for (int draw = 0; draw < 10; draw++) {
                float[] logits = new float[count];
                for (int i = 0; i < count; i++) {
                    logits[i] = i >= count - 2 ? 100f : Math.round(random.nextGaussian() * 20) / 10f + (i < 12 ? 4 : 0);
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
        assertThat(compared).isGreaterThan(2000);
    }

    @Test
    void guessesCountAsTokensThatHaveCome() {
        SplittableRandom random = new SplittableRandom(8);
        for (int round = 0; round < 300; round++) {
            SamplingOptions options = options(random);
            SamplerVocabulary vocabulary = SamplerVocabulary.withoutTexts(DryBreakers.of(new int[] {3}, new int[] {1, 2}), 50, 4, 11);
            Sampler guessing = new Sampler(options, round, vocabulary, null, null);
            Sampler knowing = new Sampler(options, round, vocabulary, null, null);
            if (guessing.candidateCount() == 0) {
                continue;
            }
            for (int id : RandomSampling.tokens(random, 40, 10)) {
                guessing.acceptPrompt(id);
                knowing.acceptPrompt(id);
            }
            float[] logits = RandomSampling.logits(random, 50);
            Candidates before = choose(guessing, logits);
            int[] guesses = random.ints(random.nextInt(7), 0, 10).toArray();
            Candidates guessed = choose(guessing, logits, guesses);
            for (int id : guesses) {
                knowing.accept(id);
            }
            requireSame(guessed, choose(knowing, logits), "round %d, %s".formatted(round, options));
            requireSame(choose(guessing, logits), before, "guesses leave nothing; round %d, %s".formatted(round, options));
        }
    }

    private static void requireSame(Candidates actual, Candidates expected, String what) {
        for (int i = 0; i < expected.count(); i++) {
            assertThat(actual.id(0, i)).as(what).isEqualTo(expected.id(0, i));
            assertThat(actual.logit(0, i)).as(what).isEqualTo(expected.logit(0, i));
        }
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
        assertThat(new Sampler(options.with(options.truncation().withTypicalP(0.9f)).with(new Xtc(0.5f, 0.1f)).with(Dry.OFF.withMultiplier(1f)), 1, 5000).candidateCount())
                .isEqualTo(40);
        assertThat(new Sampler(options.with(options.truncation().withTopNSigma(1f)), 1, 5000).candidateCount()).isZero();
        assertThat(new Sampler(options.with(new Mirostat(true, 5f, 0.1f)), 1, 5000).candidateCount()).isZero();
        assertThat(new Sampler(options.with(TokenRules.NONE.plusRequired(TokenName.of(3))), 1, 5000).candidateCount()).isZero();
        assertThat(new Sampler(options, 1, SamplerVocabulary.withoutTexts(5000), null, (tokens, logits) -> {}).candidateCount()).isZero();
        assertThat(new Sampler(SamplingOptions.GREEDY.with(new Xtc(1f, 0.1f)), 1, 5000).candidateCount()).as("the best may be excluded").isZero();
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
