package dev.yangtuo.sampling;

import static org.assertj.core.api.Assertions.assertThat;

import dev.yangtuo.tokenizer.Tokenizer;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Sequence breakers as tokens of the demonstration's vocabulary. */
class DryBreakersTest {
    private static final Tokenizer TOKENIZER = Tokenizer.load(Path.of("examples/demo-model/chinese-lora/tokenizer.model"));

    private static int reach(DryBreakers breakers, int... tokens) {
        TokenHistory history = new TokenHistory();
        IntStream.of(tokens).forEach(history::push);
        return breakers.reach(history, tokens.length);
    }

    private static int reach(String breaker, String text) {
        return reach(DryBreakers.find(List.of(breaker), TOKENIZER), TOKENIZER.encodeContinuation(text));
    }

    @Test
    void tokensThatHaveItInsideAreBreakers() {
        DryBreakers breakers = DryBreakers.find(List.of("，"), TOKENIZER);
        for (int id = 0; id < TOKENIZER.vocabSize(); id++) {
            assertThat(breakers.isBreaker(id)).as(TOKENIZER.piece(id)).isEqualTo(TOKENIZER.piece(id).contains("，"));
        }
        assertThat(breakers.isBreaker(-1)).isFalse();
        assertThat(breakers.isBreaker(Integer.MAX_VALUE)).isFalse();
    }

    @Test
    void lineBreaksAreBytes() {
        DryBreakers breakers = DryBreakers.find(List.of("\n"), TOKENIZER);
        assertThat(breakers.isBreaker(TOKENIZER.id("<0x0A>").getAsInt())).isTrue();
        assertThat(breakers.isBreaker(TOKENIZER.id("山").getAsInt())).isFalse();
    }

    @Test
    void aRepetitionDoesNotReachOverABreaker() {
        int behind = TOKENIZER.encodeContinuation("千里共婵娟").length;
        assertThat(reach("。", "山水。千里共婵娟")).isEqualTo(behind);
        assertThat(reach("。", "山水千里共婵娟")).isEqualTo(TOKENIZER.encodeContinuation("山水千里共婵娟").length);
        assertThat(reach("。", "山水。")).isZero();
    }

    @Test
    void oneOfSeveralTokensIsFound() {
        // No piece has it whole.
        String breaker = "山，水";
        assertThat(TOKENIZER.encodeContinuation(breaker).length).isGreaterThan(1);
        assertThat(reach(breaker, "月" + breaker)).isZero();
        assertThat(reach(breaker, breaker + "千")).isEqualTo(1);
        assertThat(reach(breaker, "山，千水")).isEqualTo(TOKENIZER.encodeContinuation("山，千水").length);
    }

    @Test
    void theLongestOfSeveralEndsTheRepetition() {
        DryBreakers breakers = DryBreakers.of(new int[] {5}, new int[] {5, 6, 7}, new int[] {5, 6});
        assertThat(reach(breakers, 1, 5, 2, 3)).isEqualTo(2);
        assertThat(reach(breakers, 1, 5, 6, 3)).isEqualTo(1);
        assertThat(reach(breakers, 1, 5, 6, 7)).isZero();
        assertThat(reach(breakers, 1, 5, 6, 7, 8, 9)).isEqualTo(2);
        assertThat(reach(breakers, 5, 6, 7, 1, 5)).isZero();
    }
}
