package dev.yangtuo.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.yangtuo.GenerateOptions;
import dev.yangtuo.KvType;
import dev.yangtuo.Llama;
import dev.yangtuo.LoadOptions;
import dev.yangtuo.tokenizer.EncodeOptions;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A loaded model that is asked. */
class LlamaModelTest {
    private static final Path DEMO = Path.of("examples/demo-model");
    private static final String PROMPT = "以下是中国关于诗歌考试的单项选择题。\n答案：";

    private static Llama load() {
        return Llama.load(DEMO.resolve("base"), LoadOptions.defaults().lora(DEMO.resolve("chinese-lora")).kvType(KvType.F32));
    }

    @Test
    void aLetterScoresTheSumOfItsTwoPieces() {
        try (Llama llama = load()) {
            LanguageModel model = LanguageModel.of(llama);
            int[] ids = llama.tokenizer().encode(PROMPT, EncodeOptions.PLAIN.withBos(true));
            assertThat(model.countTokens(PROMPT)).isEqualTo(ids.length);
            double[] logits = new double[llama.vocabSize()];
            llama.logits(ids, (position, values, offset) -> {
                for (int i = 0; i < logits.length; i++) {
                    logits[i] = values[offset + i];
                }
            });
            double sum = 0;
            for (double logit : logits) {
                sum += Math.exp(logit);
            }
            double[] scores = model.scoreNext(PROMPT, List.of("A", "D"));
            String[] letters = {"A", "D"};
            for (int i = 0; i < letters.length; i++) {
                int begins = llama.tokenizer().id("▁" + letters[i]).orElseThrow();
                int follows = llama.tokenizer().id(letters[i]).orElseThrow();
                assertThat(begins).isNotEqualTo(follows);
                assertThat(scores[i]).isCloseTo(logits[begins] + logits[follows] - 2 * Math.log(sum), within(1e-4));
            }
        }
    }

    @Test
    void answersDoNotDependOnWhatIsAskedAtTheSameTime() {
        CevalSet set = CevalSet.open(Path.of("examples/eval/ceval"));
        List<CevalSubject> subjects = set.subjects(CevalSplit.VAL).stream().map(id -> set.read(id, CevalSplit.VAL).first(3)).toList();
        for (AnswerMethod method : AnswerMethod.values()) {
            CevalOptions options = CevalOptions.defaults().method(method).shots(2).maxTokens(5);
            try (Llama llama = load()) {
                LanguageModel model = LanguageModel.of(llama);
                CevalResult alone = new CevalEvaluation(model, options.inFlight(1)).run(subjects, answer -> {});
                assertThat(new CevalEvaluation(model, options.inFlight(64)).run(subjects, answer -> {})).isEqualTo(alone);
                assertThat(alone.answers()).hasSize(12);
            }
        }
    }

    @Test
    void textIsWrittenGreedilyUntilItIsEnough() {
        try (Llama llama = load()) {
            LanguageModel model = LanguageModel.of(llama);
            String whole = llama.generate(PROMPT, GenerateOptions.defaults().greedy().maxTokens(12)).result().text();
            assertThat(model.generate(PROMPT, 12, text -> false)).isEqualTo(whole);
            assertThat(model.generate(PROMPT, 12, text -> text.length() >= 2)).isEqualTo(whole.substring(0, 2)).isNotEqualTo(whole);
            assertThat(model.score(PROMPT, List.of("山", "水"))).isEqualTo(llama.score(PROMPT, List.of("山", "水")));
            assertThat(model.contextLength()).isEqualTo(512);
        }
    }
}
