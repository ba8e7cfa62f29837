package dev.yangtuo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.yangtuo.chat.ChatMessage;
import dev.yangtuo.chat.ChatTemplate;
import dev.yangtuo.chat.Session;
import dev.yangtuo.chat.SessionOptions;
import dev.yangtuo.exception.ChatTemplateException;
import dev.yangtuo.exception.ContextLengthException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Answers and conversations, on the demonstration model with both its adapters. */
@Timeout(60)
class ChatTest {
    private static final LoadOptions OPTIONS =
            LoadOptions.defaults().lora(ModelFolders.DEMO.resolve("chinese-lora")).lora(ModelFolders.DEMO.resolve("alpaca-lora")).maxSequences(4);
    private static final GenerateOptions SAMPLED = GenerateOptions.defaults().temperature(0.8f).seed(5).maxTokens(24);
    private static final ChatTemplate TRAINED = ChatTemplate.named("alpaca-training");
    private static final SessionOptions SESSION = SessionOptions.defaults().template(TRAINED);

    private static Llama llama;

    @TempDir
    Path directory;

    @BeforeAll
    static void load() {
        llama = Llama.load(ModelFolders.DEMO.resolve("base"), OPTIONS);
    }

    @AfterAll
    static void close() {
        llama.close();
    }

    @Test
    void aModelWithoutATemplateIsAskedInAlpacasForm() {
        assertThat(llama.hasChatTemplate()).isFalse();
        assertThat(llama.chatTemplate().name()).isEqualTo("alpaca");
        String prompt = "Below is an instruction that describes a task. Write a response that appropriately completes the request.\n\n"
                + "### Instruction:\n\n以《春》为题写一首诗。\n\n### Response:\n\n";
        GenerationResult expected = llama.generate(prompt, SAMPLED.stop("### Instruction:")).result();
        assertThat(llama.chat(List.of(ChatMessage.user("以《春》为题写一首诗。")), SAMPLED).result().ids()).isEqualTo(expected.ids()).isNotEmpty();
    }

    @Test
    void aBlankTemplateIsNoneAndOneThatIsNotUtf8IsRefused() throws IOException {
        Path model = new TinyFiles(directory).model();
        Files.writeString(model.resolve("tokenizer_config.json"), "{\"chat_template\": \"\"}");
        try (Llama blank = Llama.load(model)) {
            assertThat(blank.hasChatTemplate()).isFalse();
        }
        Path file = Files.write(model.resolve("chat_template.jinja"), new byte[] {(byte) 0xD1, (byte) 0xF2});
        assertThatThrownBy(() -> Llama.load(model).close()).hasMessageContaining(file.toString()).hasMessageContaining("is not UTF-8");
    }

    @Test
    void aTemplateBesideTheTokenizerIsTheModels() throws IOException {
        Path model = new TinyFiles(directory).model();
        Path file = model.resolve("chat_template.jinja");
        Files.writeString(file, "{{ bos_token }}{% for m in messages %}{{ m.role }}: {{ m.content }}{{ eos_token }}{% endfor %}"
                + "{% if add_generation_prompt %}assistant:{% endif %}");
        try (Llama tiny = Llama.load(model)) {
            assertThat(tiny.hasChatTemplate()).isTrue();
            assertThat(tiny.chatTemplate().name()).isEqualTo(file.toString());
            GenerationResult result = tiny.chat(List.of(ChatMessage.user("a</s>")), SAMPLED).result();
            assertThat(result.ids()).isEqualTo(tiny.generate(join(new int[] {1}, tiny.tokenizer().encode("user: a</s>"), new int[] {2},
                    tiny.tokenizer().encode("assistant:")), SAMPLED).result().ids());
        }
        Files.delete(file);
        Files.writeString(model.resolve("tokenizer_config.json"),
                "{\"chat_template\": [{\"name\": \"tool\", \"template\": \"T\"}, {\"name\": \"default\", \"template\": \"{% broken\"}]}");
        try (Llama tiny = Llama.load(model)) {
            assertThatThrownBy(tiny::chatTemplate).as("said when it is asked for, not when the model is loaded").isInstanceOf(ChatTemplateException.class)
                    .hasMessageStartingWith(model.resolve("tokenizer_config.json") + ": the chat template cannot be read: line 1: ");
            assertThat(tiny.generate("a", SAMPLED).result().ids()).isNotEmpty();
        }
    }

    @Test
    void aTemplateInAGgufIsTheModels() {
        Path file = directory.resolve("model.gguf");
        TinyFiles.gguf().put("tokenizer.chat_template", "{% for m in messages %}<{{ m.content }}>{% endfor %}").write(file);
        try (Llama tiny = Llama.load(file)) {
            assertThat(tiny.hasChatTemplate()).isTrue();
            assertThat(tiny.chatTemplate().name()).isEqualTo(file.toString());
        }
    }

    private static int[] join(int[]... parts) {
        List<Integer> ids = new ArrayList<>();
        for (int[] part : parts) {
            for (int id : part) {
                ids.add(id);
            }
        }
        return ids.stream().mapToInt(Integer::intValue).toArray();
    }

    @Test
    void anAnswerOfASessionIsTheOneOfAllItsMessages() {
        try (Session session = llama.openSession(SESSION)) {
            GenerationResult first = session.say("以《春》为题写一首诗。", SAMPLED).result();
            assertThat(first.ids()).isEqualTo(llama.chat(TRAINED, List.of(ChatMessage.user("以《春》为题写一首诗。")), SAMPLED).result().ids());
            List<ChatMessage> messages = new ArrayList<>(session.history());
            assertThat(messages).containsExactly(ChatMessage.user("以《春》为题写一首诗。"), ChatMessage.assistant(first.text().strip()));
            messages.add(ChatMessage.user("以《秋》为题写一首诗。"));
            GenerationResult second = session.say("以《秋》为题写一首诗。", SAMPLED).result();
            assertThat(second.ids()).isEqualTo(llama.chat(TRAINED, messages, SAMPLED).result().ids());
            assertThat(second.reusedTokens()).as("what was computed of the first turn").isPositive();
            assertThat(session.history()).hasSize(4);
        }
    }

    @Test
    void turnsAreTakenBackAndForgotten() {
        try (Session session = llama.openSession(SESSION.system("写诗"))) {
            assertThat(session.undo()).isFalse();
            String first = session.say("春", SAMPLED).result().text();
            session.say("秋", SAMPLED).result();
            assertThat(session.history()).hasSize(5);
            assertThat(session.undo()).isTrue();
            assertThat(session.history()).containsExactly(ChatMessage.system("写诗"), ChatMessage.user("春"), ChatMessage.assistant(first.strip()));
            session.reset();
            assertThat(session.history()).containsExactly(ChatMessage.system("写诗"));
            assertThat(session.say("春", SAMPLED).result().text()).as("as if nothing had been said").isEqualTo(first);
            session.system("");
            assertThat(session.history()).hasSize(2).allSatisfy(message -> assertThat(message.is(ChatMessage.SYSTEM)).isFalse());
        }
    }

    @Test
    void aConversationGoesOnWhereItWas() {
        List<ChatMessage> said = List.of(ChatMessage.user("春"), ChatMessage.assistant("花"));
        try (Session session = llama.openSession(SESSION.messages(said))) {
            List<ChatMessage> asked = List.of(said.get(0), said.get(1), ChatMessage.user("秋"));
            assertThat(session.say("秋", SAMPLED).result().ids()).isEqualTo(llama.chat(TRAINED, asked, SAMPLED).result().ids());
        }
        assertThatThrownBy(() -> SESSION.messages(List.of(ChatMessage.system("s")))).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void aCancelledAnswerStaysAsFarAsItCame() {
        try (Session session = llama.openSession(SESSION)) {
            Generation generation = session.say("春", SAMPLED.maxTokens(400));
            Iterator<String> pieces = generation.iterator();
            String piece = pieces.next();
            generation.cancel();
            assertThat(session.history()).hasSize(2);
            assertThat(session.history().getLast().content()).startsWith(piece.strip());
            session.say("秋", SAMPLED).close();
            assertThat(session.history()).as("what was never answered was not said").hasSize(2);
        }
    }

    @Test
    void theOldestTurnsAreForgottenWhenTheContextIsFull() {
        try (Session session = llama.openSession(SESSION.system("写诗"))) {
            int turns = 0;
            while (session.forgottenMessages() == 0 && turns < 50) {
                GenerationResult result = session.say("请写一首很长很长的诗，题目是《第" + turns + "首》。", SAMPLED).result();
                assertThat(result.promptTokens() + 24).isLessThanOrEqualTo(llama.contextLength());
                turns++;
            }
            assertThat(session.forgottenMessages()).isPositive().isEven();
            assertThat(session.history()).as("the history keeps them").hasSize(1 + 2 * turns);
            assertThatThrownBy(() -> session.say("长".repeat(600), SAMPLED)).isInstanceOf(ContextLengthException.class);
            assertThat(session.history()).as("nothing was said").hasSize(1 + 2 * turns);
        }
    }

    /** It would wait for the answer whose prompt is being computed by the thread that it is on. */
    @Test
    void aListenerThatAsksForTheHistoryDoesNotLoseTheAnswer() {
        try (Session session = llama.openSession(SESSION)) {
            List<RuntimeException> thrown = new CopyOnWriteArrayList<>();
            String answer = session.say("一", SAMPLED.onPromptProgress(progress -> {
                try {
                    session.history();
                } catch (WrongThreadException e) {
                    thrown.add(e);
                }
            })).result().text().strip();
            assertThat(thrown).isNotEmpty();
            assertThat(session.history()).containsExactly(ChatMessage.user("一"), ChatMessage.assistant(answer));
        }
    }

    @Test
    void aClosedSessionSaysSo() {
        Session session = llama.openSession(SESSION);
        Generation generation = session.say("春", SAMPLED.maxTokens(400));
        session.close();
        session.close();
        assertThat(generation.result().finishReason()).isEqualTo(FinishReason.CANCELLED);
        assertThatThrownBy(() -> session.say("秋", SAMPLED)).isInstanceOf(IllegalStateException.class).hasMessageContaining("closed");
    }
}
