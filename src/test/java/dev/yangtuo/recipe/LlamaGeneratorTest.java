package dev.yangtuo.recipe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.yangtuo.FinishReason;
import dev.yangtuo.GenerateOptions;
import dev.yangtuo.GenerationResult;
import dev.yangtuo.Llama;
import dev.yangtuo.Score;
import dev.yangtuo.chat.ChatMessage;
import dev.yangtuo.chat.ChatTemplate;
import dev.yangtuo.exception.ContextLengthException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What stands between the recipes and a model. */
class LlamaGeneratorTest {
    private static final String PROMPT = "In the beginning";

    private static Llama llama;

    @BeforeAll
    static void load() {
        llama = Llama.load(Path.of("src/test/resources/models/tiny/base"));
    }

    @AfterAll
    static void close() {
        llama.close();
    }

    @Test
    void aCompletionIsTheTextOfItsSeedWithItsProbability() {
        GenerateOptions options = GenerateOptions.defaults().temperature(1).maxTokens(12).seed(99);
        LlamaGenerator generator = new LlamaGenerator(llama, options);
        Completion completion = generator.generate(PROMPT, 5);
        GenerationResult expected = llama.generate(PROMPT, options.seed(5)).result();
        assertThat(completion.text()).isEqualTo(expected.text());
        assertThat(completion.seed()).isEqualTo(5);
        assertThat(completion.finishReason()).isEqualTo(expected.finishReason());
        assertThat(completion.tokens()).isEqualTo(expected.ids().size());
        int[] bos = {llama.tokenizer().bosId()};
        int[] prompt = IntStream.concat(Arrays.stream(bos), Arrays.stream(llama.tokenizer().encode(PROMPT))).toArray();
        int[] ids = expected.ids().stream().mapToInt(Integer::intValue).toArray();
        assertThat(completion.logProbability()).isCloseTo(llama.score(prompt, List.of(ids)).getFirst().sum(), within(1e-9));
        assertThat(completion.meanLogProbability()).isEqualTo(completion.logProbability() / ids.length);
        assertThat(new Completion("", FinishReason.END_OF_TEXT, 0, 0, 1).meanLogProbability()).isNaN();
    }

    @Test
    void theRoomIsWhatTheContextLeaves() {
        LlamaGenerator generator = new LlamaGenerator(llama, GenerateOptions.defaults());
        assertThat(generator.room(PROMPT)).isEqualTo(llama.contextLength() - 1 - llama.tokenizer().encode(PROMPT).length);
        String tooLong = "山 ".repeat(llama.contextLength());
        assertThat(generator.room(tooLong)).isNegative();
        assertThatThrownBy(() -> generator.generate(tooLong, 0)).isInstanceOf(ContextLengthException.class);
    }

    @Test
    void yesIsWhatAJudgeFindsMoreProbable() {
        AnswerRater rater = AnswerRater.byYes(llama, PromptTemplate.of("t", "{question} {answer}:", AnswerRater.PLACES), null, RecipeLanguage.ENGLISH);
        double[] logs = llama.score("q a:", List.of("Yes", "No")).stream().mapToDouble(score -> score.sum()).toArray();
        assertThat(rater.rate("q", "a")).isCloseTo(logs[0] - Math.log(Math.exp(logs[0]) + Math.exp(logs[1])), within(1e-9));
    }

    @Test
    void aScoreIsTheMeanOfAllTen() {
        AnswerRater rater = AnswerRater.byLogProbability(llama, PromptTemplate.of("t", "{question} {answer}:", AnswerRater.PLACES), null);
        double weights = 0;
        double sum = 0;
        for (int score = 1; score <= 10; score++) {
            double weight = Math.exp(llama.score("q a:[[", List.of(score + "]]")).getFirst().sum());
            weights += weight;
            sum += score * weight;
        }
        assertThat(rater.rate("q", "a")).isCloseTo(sum / weights, within(1e-9));
    }

    @Test
    void promptsCanBeMessagesOfAUser() {
        ChatTemplate chat = ChatTemplate.named("alpaca");
        GenerateOptions options = GenerateOptions.defaults().greedy().maxTokens(6);
        LlamaGenerator generator = new LlamaGenerator(llama, options, chat);
        List<ChatMessage> messages = List.of(ChatMessage.user(PROMPT));
        assertThat(generator.generate(PROMPT, 1).text()).isEqualTo(llama.chat(chat, messages, options).result().text());
        int[] prompt = llama.chatPrompt(chat, messages);
        assertThat(generator.room(PROMPT)).isEqualTo(llama.contextLength() - prompt.length);
        PairJudge judge = PairJudge.byLogProbability(llama, PromptTemplate.of("t", "{question}{answer_a}{answer_b}", PairJudge.PLACES), chat);
        List<int[]> verdicts = List.of("[[A]]", "[[B]]", "[[C]]").stream().map(text -> llama.tokenizer().encodeContinuation(text)).toList();
        assertThat(judge.judge(PROMPT, "", "").logProbabilities()).isEqualTo(llama.score(prompt, verdicts).stream().map(Score::sum).toList());
    }

    @Test
    void aPromptThatIsTooLongForTheJudgeIsSaidToBe() {
        PairJudge judge = PairJudge.byLogProbability(llama, PairJudge.verdictTemplate(RecipeLanguage.ENGLISH), null);
        assertThatThrownBy(() -> judge.judge("q", "山 ".repeat(llama.contextLength()), "b")).isInstanceOf(ContextLengthException.class);
    }
}
