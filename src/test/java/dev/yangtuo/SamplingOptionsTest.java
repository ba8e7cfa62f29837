package dev.yangtuo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.yangtuo.exception.YangtuoException;
import java.nio.ReadOnlyBufferException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The options of sampling, on the demonstration model. */
@Timeout(60)
class SamplingOptionsTest {
    private static final Path BASE = ModelFolders.DEMO.resolve("base");
    private static final String PROMPT = "《静夜思》李白\n";
    private static final GenerateOptions GREEDY = GenerateOptions.defaults().greedy().maxTokens(20);

    private static Llama llama;

    @BeforeAll
    static void load() {
        llama = Llama.load(BASE, LoadOptions.defaults().lora(ModelFolders.DEMO.resolve("chinese-lora")));
    }

    @AfterAll
    static void close() {
        llama.close();
    }

    private static GenerationResult generate(GenerateOptions options) {
        return llama.generate(PROMPT, options).result();
    }

    @Test
    void bannedTokensDoNotCome() {
        List<Integer> ids = generate(GREEDY).ids();
        int banned = ids.get(3);
        String text = llama.tokenizer().piece(ids.get(5));
        GenerationResult result = generate(GREEDY.ban(banned).ban(text).logitBias(ids.get(7), -100f));
        assertThat(result.ids()).doesNotContain(banned, ids.get(5), ids.get(7)).isNotEqualTo(ids);
        assertThat(generate(GREEDY.logitBias(banned, 1000f)).ids()).containsOnly(banned);
        assertThat(generate(GREEDY.logitBias(text, 1000f)).ids()).containsOnly(ids.get(5));
    }

    @Test
    void allTokensOfAVocabularyCanHaveRules() {
        int size = llama.tokenizer().vocabSize();
        int kept = llama.tokenizer().id("山").getAsInt();
        int[] others = IntStream.range(0, size).filter(id -> id != kept).toArray();
        assertThat(generate(GREEDY.ban(others)).ids()).hasSize(20).containsOnly(kept);
        assertThat(generate(GREEDY.require(others).ban(5)).ids()).hasSizeGreaterThan(1).doesNotContain(kept, 5);
        assertThat(generate(GREEDY.ban(others).temperature(0.5f).greedy()).ids()).isEqualTo(generate(GREEDY).ids());
    }

    @Test
    void onlyRequiredTokensCome() {
        List<Integer> ids = generate(GREEDY.temperature(1f).seed(3).require(700, 701).require("山")).ids();
        assertThat(ids).hasSize(20).isSubsetOf(700, 701, llama.tokenizer().id("山").getAsInt());
    }

    @Test
    void theEndDoesNotComeBeforeTheMinimum() {
        int end = llama.tokenizer().eosId();
        GenerateOptions wantsToEnd = GREEDY.logitBias(end, 1000f);
        assertThat(generate(wantsToEnd).finishReason()).isEqualTo(FinishReason.END_OF_TEXT);
        assertThat(generate(wantsToEnd).ids()).isEmpty();
        GenerationResult result = generate(wantsToEnd.minTokens(7));
        assertThat(result.finishReason()).isEqualTo(FinishReason.END_OF_TEXT);
        assertThat(result.ids()).hasSize(7);
        assertThatIllegalArgumentException().isThrownBy(() -> generate(GREEDY.minTokens(21))).withMessage("minTokens is 21, must be at most maxTokens, which is 20");
    }

    @Test
    void dryBreaksARepetition() {
        // A loop of its own: the model is made to say two tokens in turn.
        GenerateOptions loop = GenerateOptions.defaults().greedy().maxTokens(30).require(700, 701);
        List<Integer> plain = generate(loop).ids();
        List<Integer> dry = generate(loop.dryMultiplier(5f)).ids();
        assertThat(dry).isNotEqualTo(plain);
        String breaker = llama.tokenizer().piece(700);
        assertThat(generate(loop.dryMultiplier(5f).drySequenceBreakers(List.of(breaker, llama.tokenizer().piece(701)))).ids())
                .as("what is a breaker is no repetition").isEqualTo(plain);
    }

    @Test
    void theProcessorSeesTheTextAndChangesIt() {
        List<Integer> ids = generate(GREEDY).ids();
        List<List<Integer>> seen = new ArrayList<>();
        GenerateOptions options = GREEDY.logitsProcessor(() -> (tokens, logits) -> {
            List<Integer> text = new ArrayList<>();
            for (int i = 0; i < tokens.limit(); i++) {
                text.add(tokens.get(i));
            }
            seen.add(text);
            if (seen.size() == 4) {
                logits[ids.get(3)] = Float.NEGATIVE_INFINITY;
            }
        });
        List<Integer> changed = generate(options).ids();
        assertThat(changed.subList(0, 3)).isEqualTo(ids.subList(0, 3));
        assertThat(changed.get(3)).isNotEqualTo(ids.get(3));
        assertThat(seen).hasSize(20);
        List<Integer> last = seen.getLast();
        assertThat(last.subList(last.size() - 19, last.size())).isEqualTo(changed.subList(0, 19));
        assertThat(last.getFirst()).isEqualTo(llama.tokenizer().bosId());
    }

    @Test
    void whatTheProcessorAllowsMayStillBeForbidden() {
        int banned = generate(GREEDY).ids().getFirst();
        GenerateOptions options = GREEDY.ban(banned).logitsProcessor(() -> (tokens, logits) -> logits[banned] = 1000f);
        assertThat(generate(options).ids()).hasSize(20).doesNotContain(banned);
    }

    @Test
    void everyTextHasAProcessorOfItsOwn() {
        GenerateOptions options = GREEDY.logitsProcessor(() -> {
            int[] calls = new int[1];
            return (tokens, logits) -> logits[700 + calls[0]++] = 1000f;
        });
        List<Integer> expected = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            expected.add(700 + i);
        }
        List<Generation> texts = List.of(llama.generate("山", options), llama.generate("水", options), llama.generate(PROMPT, options.promptLookup(4)));
        texts.forEach(text -> assertThat(text.result().ids()).isEqualTo(expected));
    }

    @Test
    void aProcessorThatFailsFailsItsTextAlone() {
        List<Integer> expected = generate(GREEDY).ids();
        for (Consumer<float[]> failure : List.<Consumer<float[]>>of(
                logits -> { throw new IllegalStateException("broken"); },
                logits -> { throw new AssertionError("broken"); },
                logits -> logits[5] = Float.NaN,
                logits -> logits[5] = Float.POSITIVE_INFINITY)) {
            Generation good = llama.generate(PROMPT, GREEDY);
            good.iterator().hasNext();
            Generation bad = llama.generate(PROMPT, GREEDY.logitsProcessor(() -> (tokens, logits) -> failure.accept(logits)));
            assertThatThrownBy(bad::result).isInstanceOf(YangtuoException.class).hasMessageContaining("logits processor");
            assertThat(good.result().ids()).isEqualTo(expected);
        }
        Generation greedy = llama.generate(PROMPT, GREEDY.logitsProcessor(() -> (tokens, logits) -> tokens.array()));
        assertThatThrownBy(greedy::result).hasRootCauseInstanceOf(ReadOnlyBufferException.class);
    }

    @Test
    void nothingLeftIsSaid() {
        Generation none = llama.generate(PROMPT, GREEDY.require(5).ban(5));
        assertThatThrownBy(none::result).isInstanceOf(YangtuoException.class).hasMessageContaining("no token may come next");
    }

    @Test
    void tokensThatAreNotThereAreRefusedByName() {
        assertThatIllegalArgumentException().isThrownBy(() -> generate(GREEDY.ban(12_183))).withMessage("a token's id is 12183, must be 0 to 12182");
        assertThatIllegalArgumentException().isThrownBy(() -> generate(GREEDY.require("床前明月光疑是地上霜"))).withMessageContaining("is not one token of the vocabulary but [");
        assertThatIllegalArgumentException().isThrownBy(() -> GREEDY.ban("")).withMessageContaining("empty");
    }

    @Test
    void valuesOutOfRangeAreRefusedAtOnce() {
        GenerateOptions options = GenerateOptions.defaults();
        assertThatIllegalArgumentException().isThrownBy(() -> options.dynamicTemperature(-1f, 1f)).withMessageContaining("range is -1.0");
        assertThatIllegalArgumentException().isThrownBy(() -> options.dynamicTemperature(1f, Float.NaN)).withMessageContaining("exponent is NaN");
        assertThatIllegalArgumentException().isThrownBy(() -> options.topNSigma(-1f)).withMessageContaining("top-n-sigma is -1.0");
        assertThatIllegalArgumentException().isThrownBy(() -> options.typicalP(0f)).withMessageContaining("typical-p is 0.0");
        assertThatIllegalArgumentException().isThrownBy(() -> options.xtc(1.1f, 0.1f)).withMessageContaining("XTC probability is 1.1");
        assertThatIllegalArgumentException().isThrownBy(() -> options.xtc(1f, -0.1f)).withMessageContaining("XTC threshold is -0.1");
        assertThatIllegalArgumentException().isThrownBy(() -> options.repeatLastN(-2)).withMessageContaining("is -2");
        assertThatIllegalArgumentException().isThrownBy(() -> options.presencePenalty(Float.NaN)).withMessageContaining("presence penalty is NaN");
        assertThatIllegalArgumentException().isThrownBy(() -> options.frequencyPenalty(Float.POSITIVE_INFINITY)).withMessageContaining("frequency penalty is Infinity");
        assertThatIllegalArgumentException().isThrownBy(() -> options.dryMultiplier(-1f)).withMessageContaining("DRY multiplier is -1.0");
        assertThatIllegalArgumentException().isThrownBy(() -> options.dryBase(0.9f)).withMessageContaining("DRY base is 0.9");
        assertThatIllegalArgumentException().isThrownBy(() -> options.dryAllowedLength(-1)).withMessageContaining("allowed length of DRY is -1");
        assertThatIllegalArgumentException().isThrownBy(() -> options.dryLastN(-2)).withMessageContaining("is -2");
        assertThatIllegalArgumentException().isThrownBy(() -> options.drySequenceBreakers(List.of(""))).withMessageContaining("sequence breaker is ''");
        assertThatIllegalArgumentException().isThrownBy(() -> options.mirostat(-1f, 0.1f)).withMessageContaining("tau is -1.0");
        assertThatIllegalArgumentException().isThrownBy(() -> options.mirostat(5f, Float.NaN)).withMessageContaining("eta is NaN");
        assertThatIllegalArgumentException().isThrownBy(() -> options.logitBias(1, Float.NaN)).withMessageContaining("logit bias is NaN");
        assertThatIllegalArgumentException().isThrownBy(() -> options.logitBias(-1, 1f)).withMessageContaining("id is -1");
        assertThatIllegalArgumentException().isThrownBy(() -> options.minTokens(-1)).withMessageContaining("minimum of tokens is -1");
    }
}
