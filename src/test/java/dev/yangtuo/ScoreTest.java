package dev.yangtuo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.yangtuo.exception.ContextLengthException;
import dev.yangtuo.exception.YangtuoException;
import dev.yangtuo.tokenizer.EncodeOptions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Log-probabilities: of given continuations, and of generated tokens. */
class ScoreTest {
    private static Llama llama;

    @BeforeAll
    static void load() {
        llama = Llama.load(ModelFolders.tiny("base"));
    }

    @AfterAll
    static void close() {
        llama.close();
    }

    /** Logarithms of the softmax of each row, from the logits that are given out. */
    private static double[][] logSoftmax(int[] ids) {
        double[][] rows = new double[ids.length][llama.vocabSize()];
        llama.logits(ids, (position, logits, offset) -> {
            double sum = 0;
            for (int id = 0; id < llama.vocabSize(); id++) {
                sum += Math.exp(logits[offset + id]);
            }
            for (int id = 0; id < llama.vocabSize(); id++) {
                rows[position][id] = logits[offset + id] - Math.log(sum);
            }
        });
        return rows;
    }

    private static int[] concat(int[] a, int[] b) {
        int[] all = Arrays.copyOf(a, a.length + b.length);
        System.arraycopy(b, 0, all, a.length, b.length);
        return all;
    }

    private static int[] random(int seed, int count) {
        return new SplittableRandom(seed).ints(count, 0, llama.vocabSize()).toArray();
    }

    @Test
    void scoresAreTheSoftmaxOfTheLogits() {
        int[] prompt = random(1, 30);
        List<int[]> continuations = List.of(random(2, 1), random(3, 9), random(4, 226), new int[] {prompt[0], 5, 5, 7});
        List<Score> scores = llama.score(prompt, continuations);
        assertThat(scores).hasSameSizeAs(continuations);
        for (int i = 0; i < scores.size(); i++) {
            int[] continuation = continuations.get(i);
            double[][] expected = logSoftmax(Arrays.copyOf(concat(prompt, continuation), prompt.length + continuation.length - 1));
            Score score = scores.get(i);
            assertThat(score.ids()).isEqualTo(Arrays.stream(continuation).boxed().toList());
            double sum = 0;
            for (int t = 0; t < continuation.length; t++) {
                double[] row = expected[prompt.length - 1 + t];
                ScoredToken token = score.tokens().get(t);
                assertThat(token.piece()).isEqualTo(llama.tokenizer().piece(continuation[t]));
                assertThat(token.logProbability()).as("continuation %d, token %d", i, t).isCloseTo(row[continuation[t]], within(1e-9));
                assertThat(token.greedy()).isEqualTo(Arrays.stream(row).max().getAsDouble() == row[continuation[t]]);
                sum += token.logProbability();
            }
            assertThat(score.sum()).isEqualTo(sum);
            assertThat(score.perToken()).isEqualTo(sum / continuation.length);
        }
    }

    @Test
    void whatGreedyGenerationWritesIsGreedy() {
        int[] prompt = random(6, 12);
        int[] written = llama.generate(prompt, GenerateOptions.defaults().greedy().maxTokens(10)).result().ids().stream().mapToInt(id -> id).toArray();
        int[] other = written.clone();
        other[written.length - 1] = (other[written.length - 1] + 1) % llama.vocabSize();
        List<Score> scores = llama.score(prompt, List.of(written, other));
        assertThat(scores.getFirst().isGreedy()).isTrue();
        assertThat(scores.getLast().isGreedy()).isFalse();
        assertThat(scores.getLast().tokens().subList(0, written.length - 1)).isEqualTo(scores.getFirst().tokens().subList(0, written.length - 1));
        assertThat(scores.getFirst().sum()).isGreaterThan(scores.getLast().sum());
    }

    @Test
    void aScoreIsTheSameAloneAndTogether() {
        Random random = new Random(8);
        List<int[]> continuations = new ArrayList<>();
        for (int i = 0; i < 70; i++) {
            continuations.add(random(100 + i, 1 + random.nextInt(40)));
        }
        int[] prompt = random(9, 150);
        List<Generation> streams = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            streams.add(llama.generate("山" + i, GenerateOptions.defaults().seed(i).maxTokens(100)));
            Generation stream = streams.getLast();
            Thread.ofVirtual().start(stream::result);
        }
        List<Score> together = llama.score(prompt, continuations);
        streams.forEach(Generation::close);
        try (Llama other = Llama.load(ModelFolders.tiny("base"), LoadOptions.defaults().threads(1))) {
            for (int i = 0; i < continuations.size(); i += 7) {
                assertThat(other.score(prompt, List.of(continuations.get(i))).getFirst()).as("continuation %d", i).isEqualTo(together.get(i));
            }
        }
    }

    @Test
    void textIsCutWhereThePromptEnds() {
        String prompt = "In the beginning";
        List<String> continuations = List.of(" was the word", "s of poems", "，明月", "\n");
        int[] promptIds = llama.tokenizer().encode(prompt, EncodeOptions.BOS);
        List<Score> scores = llama.score(prompt, continuations);
        int whole = 0;
        for (int i = 0; i < continuations.size(); i++) {
            int[] ids = scores.get(i).ids().stream().mapToInt(id -> id).toArray();
            int[] all = llama.tokenizer().encode(prompt + continuations.get(i), EncodeOptions.BOS);
            if (Arrays.equals(concat(promptIds, ids), all)) {
                whole++;
            } else {
                assertThat(all).as("the prompt's own ids do not begin the whole").satisfies(any -> assertThat(Arrays.mismatch(any, promptIds)).isLessThan(promptIds.length));
                assertThat(ids).isEqualTo(llama.tokenizer().encodeContinuation(continuations.get(i)));
            }
            assertThat(llama.tokenizer().decode(concat(promptIds, ids))).isEqualTo(prompt + continuations.get(i));
            assertThat(scores.get(i)).isEqualTo(llama.score(promptIds, List.of(ids)).getFirst());
        }
        assertThat(whole).isPositive();
        assertThat(llama.score("", List.of("In the")).getFirst().ids()).isEqualTo(Arrays.stream(llama.tokenizer().encode("In the")).boxed().toList());
    }

    @Test
    void aTokenAcrossTheBoundaryIsNotTaken() {
        String text = "the";
        assertThat(llama.tokenizer().encode(text)).as("a single token").hasSize(1);
        Score score = llama.score("th", List.of("e")).getFirst();
        assertThat(score.ids()).isEqualTo(Arrays.stream(llama.tokenizer().encodeContinuation("e")).boxed().toList());
        assertThat(score.tokens().getFirst().piece()).as("no space before it").isEqualTo("e");
    }

    @Test
    void whatCannotBeScoredIsSaid() {
        assertThatIllegalArgumentException().isThrownBy(() -> llama.score("a", List.of("b", ""))).withMessageContaining("continuation 2 has no tokens");
        assertThatIllegalArgumentException().isThrownBy(() -> llama.score(new int[0], List.of(new int[] {1}))).withMessageContaining("the prompt is empty");
        assertThatIllegalArgumentException().isThrownBy(() -> llama.score(new int[] {1}, List.of(new int[] {3000}))).withMessageContaining("3000");
        assertThatThrownBy(() -> llama.score(new int[200], List.of(new int[57], new int[58]))).isInstanceOf(ContextLengthException.class)
                .hasMessageContainingAll("the prompt with continuation 2 has 258 tokens", "takes 256");
        assertThat(llama.score(new int[200], List.of(new int[57]))).as("the last token needs no place").hasSize(1);
        assertThat(llama.score("a", List.of())).isEmpty();
        Llama closed = Llama.load(ModelFolders.tiny("base"));
        closed.close();
        assertThatIllegalStateException().isThrownBy(() -> closed.score("a", List.of("b"))).withMessageContaining("closed");
    }

    @Test
    void logitsThatAreNoNumbersAreTakenForDamage() {
        Scoring scoring = new Scoring(new int[] {1, 2}, 1, llama.vocabSize(), llama.tokenizer());
        float[] logits = new float[llama.vocabSize()];
        logits[7] = Float.NaN;
        assertThatThrownBy(() -> scoring.accept(0, 1, logits)).isInstanceOf(YangtuoException.class).hasMessageContaining("weights are probably damaged");
    }

    @Test
    void generatedTokensHaveTheLogProbabilitiesOfTheModelItself() {
        int[] prompt = random(20, 10);
        List<GenerateOptions> ways = List.of(
                GenerateOptions.defaults().greedy(),
                GenerateOptions.defaults().repeatPenalty(1.5f).temperature(1.3f).topK(0).seed(4),
                GenerateOptions.defaults().seed(5),
                GenerateOptions.defaults().greedy().promptLookup(5));
        for (GenerateOptions way : ways) {
            GenerateOptions options = way.maxTokens(24);
            GenerationResult plain = llama.generate(prompt, options).result();
            GenerationResult result = llama.generate(prompt, options.logProbabilities(5)).result();
            assertThat(result.ids()).as("the text is the same").isEqualTo(plain.ids());
            assertThat(plain.logProbabilities()).isEmpty();
            assertThat(result.logProbabilities()).hasSameSizeAs(result.ids());
            double[][] expected = logSoftmax(concat(prompt, result.ids().stream().mapToInt(id -> id).toArray()));
            for (int t = 0; t < result.ids().size(); t++) {
                double[] row = expected[prompt.length - 1 + t];
                TokenLogProbabilities token = result.logProbabilities().get(t);
                assertThat(token.id()).isEqualTo(result.ids().get(t));
                assertThat(token.logProbability()).isCloseTo(row[token.id()], within(1e-9));
                double[] sorted = Arrays.stream(row).map(value -> -value).sorted().map(value -> -value).limit(5).toArray();
                assertThat(token.best()).hasSize(5);
                for (int i = 0; i < 5; i++) {
                    assertThat(token.best().get(i).logProbability()).isCloseTo(sorted[i], within(1e-9)).isCloseTo(row[token.best().get(i).id()], within(1e-9));
                }
            }
            assertThat(llama.generate(prompt, options.logProbabilities(0)).result().logProbabilities()).extracting(TokenLogProbabilities::logProbability)
                    .isEqualTo(result.logProbabilities().stream().map(TokenLogProbabilities::logProbability).toList());
            assertThat(llama.generate(prompt, options.logProbabilities(0)).result().logProbabilities()).allMatch(token -> token.best().isEmpty());
        }
        assertThatIllegalArgumentException().isThrownBy(() -> GenerateOptions.defaults().logProbabilities(21)).withMessageContaining("0 to 20");
        assertThatIllegalArgumentException().isThrownBy(() -> GenerateOptions.defaults().logProbabilities(-1)).withMessageContaining("0 to 20");
    }
}
