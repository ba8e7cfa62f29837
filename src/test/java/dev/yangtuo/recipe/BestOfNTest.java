package dev.yangtuo.recipe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.yangtuo.FinishReason;
import dev.yangtuo.exception.ContextLengthException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class BestOfNTest {
    /** A text that says prompt and seed; its probability depends on the seed. */
    private static final TextGenerator ECHO = (prompt, seed) -> new Completion(prompt + seed, FinishReason.END_OF_TEXT, 10, -(seed % 97), seed);

    private static List<BestOfN.Ranked> run(TextGenerator generator, BestOfN.Scorer scorer, int n, long seed, int inFlight, String... ids) {
        List<BestOfN.Ranked> ranked = new ArrayList<>();
        new BestOfN(generator, scorer, n, seed, inFlight).run(List.of(ids).stream().map(id -> new BestOfN.Prompt(id, "p-" + id)).iterator(), ranked::add);
        return ranked;
    }

    @Test
    void theBestComesFirst() {
        BestOfN.Ranked ranked = run(ECHO, BestOfN.Scorer.meanLogProbability(), 8, 1, 3, "x").getFirst();
        assertThat(ranked.candidates()).hasSize(8).isSortedAccordingTo((a, b) -> Double.compare(b.score(), a.score()));
        assertThat(ranked.candidates()).allSatisfy(candidate -> {
            assertThat(candidate.score()).isEqualTo(-(candidate.completion().seed() % 97) / 10.0);
            assertThat(candidate.completion().text()).isEqualTo("p-x" + candidate.completion().seed());
        });
        assertThat(ranked.candidates()).extracting(BestOfN.Candidate::number).containsExactlyInAnyOrder(0, 1, 2, 3, 4, 5, 6, 7);
    }

    @Test
    void equalAnswersKeepTheirOrderAndThoseWithoutAScoreAreLast() {
        BestOfN.Ranked ranked = run(ECHO, (_, answer) -> answer.seed() % 2 == 0 ? Double.NaN : 1, 12, 1, 5, "x").getFirst();
        List<BestOfN.Candidate> candidates = ranked.candidates();
        long scored = candidates.stream().filter(candidate -> candidate.score() == 1).count();
        assertThat(scored).as("the seeds are such that there are both").isBetween(1L, 11L);
        assertThat(candidates.subList(0, (int) scored)).allMatch(candidate -> candidate.score() == 1);
        assertThat(candidates.subList(0, (int) scored)).extracting(BestOfN.Candidate::number).isSorted();
        assertThat(candidates.subList((int) scored, 12)).extracting(BestOfN.Candidate::number).isSorted();
    }

    @Test
    void answersDependOnNothingButSeedIdAndNumber() {
        List<BestOfN.Ranked> alone = run(ECHO, BestOfN.Scorer.meanLogProbability(), 4, 7, 1, "b");
        List<BestOfN.Ranked> together = run(ECHO, BestOfN.Scorer.meanLogProbability(), 4, 7, 9, "a", "b", "c");
        assertThat(together).extracting(ranked -> ranked.prompt().id()).containsExactly("a", "b", "c");
        assertThat(together.get(1)).isEqualTo(alone.getFirst());
        assertThat(run(ECHO, BestOfN.Scorer.meanLogProbability(), 4, 8, 1, "b")).isNotEqualTo(alone);
        Set<Long> seeds = together.stream().flatMap(ranked -> ranked.candidates().stream()).map(candidate -> candidate.completion().seed()).collect(Collectors.toSet());
        assertThat(seeds).hasSize(12).allSatisfy(seed -> assertThat(seed).isBetween(0L, (1L << 53) - 1));
    }

    @Test
    void aPromptThatIsTooLongIsAnErrorOfItsOwn() {
        TextGenerator generator = (prompt, seed) -> {
            if (prompt.equals("p-long")) {
                throw new ContextLengthException(1000, 512);
            }
            return ECHO.generate(prompt, seed);
        };
        List<BestOfN.Ranked> ranked = run(generator, BestOfN.Scorer.meanLogProbability(), 3, 0, 4, "short", "long", "last");
        assertThat(ranked.get(1).error()).contains("1000 tokens");
        assertThat(ranked.get(1).candidates()).isEmpty();
        assertThat(ranked.get(0).error()).isNull();
        assertThat(ranked.get(2).candidates()).hasSize(3);
    }

    @Test
    void aRaterSeesPromptAndAnswer() {
        BestOfN.Scorer scorer = BestOfN.Scorer.of((question, answer) -> {
            if (answer.endsWith("3")) {
                throw new ContextLengthException(1000, 512);
            }
            return question.equals("p-x") && answer.startsWith("p-x") ? answer.length() : -1;
        });
        assertThat(run(ECHO, scorer, 20, 0, 4, "x").getFirst().candidates()).allSatisfy(candidate -> {
            String text = candidate.completion().text();
            assertThat(candidate.score()).isEqualTo(Double.valueOf(text.endsWith("3") ? Double.NaN : text.length()));
        });
    }

    @Test
    void itEndsWhenSomebodyHasEnough() {
        List<String> ids = new ArrayList<>();
        new BestOfN(ECHO, BestOfN.Scorer.meanLogProbability(), 2, 0, 3).run(
                IntStream.iterate(0, i -> i + 1).mapToObj(i -> new BestOfN.Prompt("id" + i, "p")).iterator(),
                ranked -> ids.add(ranked.prompt().id()) && ids.size() < 5);
        assertThat(ids).containsExactly("id0", "id1", "id2", "id3", "id4");
        assertThatThrownBy(() -> new BestOfN(ECHO, BestOfN.Scorer.meanLogProbability(), 0, 0, 1)).isInstanceOf(IllegalArgumentException.class);
    }
}
