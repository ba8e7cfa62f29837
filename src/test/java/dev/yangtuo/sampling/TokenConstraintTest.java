package dev.yangtuo.sampling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.yangtuo.exception.YangtuoException;
import dev.yangtuo.grammar.TokenConstraint;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** What a constraint does not allow does not come, whatever the other options are. */
class TokenConstraintTest {
    /** Always the same tokens; remembers what it was shown. */
    private static final class Fixed implements TokenConstraint {
        private final long[] allowed;
        private final List<Integer> shown = new ArrayList<>();

        Fixed(long... allowed) {
            this.allowed = allowed;
        }

        @Override
        public long[] allowed() {
            return allowed;
        }

        @Override
        public void accept(int id) {
            shown.add(id);
        }
    }

    private static List<Integer> ids(long[] words, int vocabulary) {
        return IntStream.range(0, Math.min(vocabulary, words.length * 64)).filter(id -> (words[id / 64] >>> id & 1) == 1).boxed().toList();
    }

    @Test
    void whatHasNoBitDoesNotCome() {
        SplittableRandom random = new SplittableRandom(1);
        for (int round = 0; round < 300; round++) {
            int vocabulary = 1 + random.nextInt(200);
            long[] words = random.longs(1 + random.nextInt(4)).map(word -> switch (random.nextInt(4)) {
                case 0 -> 0;
                case 1 -> -1L;
                default -> word;
            }).toArray();
            Sampler sampler = new Sampler(new SamplingOptions(2f, random.nextInt(3), 1f, 0f, 1.1f), round, vocabulary, new Fixed(words));
            assertThat(sampler.candidateCount()).isZero();
            List<Integer> allowed = ids(words, vocabulary);
            float[] logits = RandomSampling.logits(random, vocabulary);
            for (int i = 0; i < vocabulary; i++) {
                logits[i] = Math.max(-9f, logits[i]);
            }
            if (allowed.isEmpty()) {
                assertThatThrownBy(() -> sampler.sample(logits)).isInstanceOf(YangtuoException.class).hasMessageContaining("allows none of the " + vocabulary + " tokens");
            } else {
                for (int draw = 0; draw < 30; draw++) {
                    assertThat(allowed).contains(sampler.sample(logits.clone()));
                }
            }
        }
    }

    @Test
    void itIsShownWhatWasChosenAndNotThePrompt() {
        Fixed constraint = new Fixed(-1L);
        Sampler sampler = new Sampler(SamplingOptions.GREEDY, 1, 10, constraint);
        sampler.acceptPrompt(3);
        sampler.acceptPrompt(4);
        sampler.accept(5);
        sampler.accept(5);
        assertThat(constraint.shown).containsExactly(5, 5);
    }

    @Test
    void aMinimumDoesNotForbidTheEndWhereNothingElseIsAllowed() {
        SamplingOptions options = SamplingOptions.GREEDY.with(TokenRules.NONE.withMinTokens(5));
        SamplerVocabulary vocabulary = SamplerVocabulary.withoutTexts(70, 2, 66);
        float[] logits = new float[70];
        logits[66] = 9f;
        // Bits beyond the vocabulary are no tokens.
        Sampler ended = new Sampler(options, 1, vocabulary, new Fixed(1L << 2, 1L << 2 | 1L << 50), null);
        assertThat(ended.sample(logits.clone())).isEqualTo(66);
        Sampler goesOn = new Sampler(options, 1, vocabulary, new Fixed(1L << 2, 1L << 2 | 1L << 3), null);
        assertThat(goesOn.sample(logits.clone())).isEqualTo(67);
    }

    @Test
    void whatElseIsForbiddenStaysSo() {
        SamplingOptions options = SamplingOptions.GREEDY.with(TokenRules.NONE.plusRequired(TokenName.of(1)).plusRequired(TokenName.of(2)).plus(new TokenBias(TokenName.of(2), -50f)));
        assertThat(new Sampler(options, 1, 10, new Fixed(0b1110)).sample(new float[10])).isEqualTo(1);
        assertThat(new Sampler(options, 1, 10, new Fixed(0b1100)).sample(new float[10])).isEqualTo(2);
        assertThatThrownBy(() -> new Sampler(options, 1, 10, new Fixed(0b1000)).sample(new float[10])).isInstanceOf(YangtuoException.class).hasMessageContaining("no token may come");
    }
}
