package dev.yangtuo.chat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.yangtuo.exception.ChatTemplateException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The built-in templates, and what is refused. */
class ChatTemplateTest {
    private static final SpecialTexts SPECIAL = new SpecialTexts("<s>", "</s>", "<unk>", "");
    private static final ChatMessage SYSTEM = ChatMessage.system("S");
    private static final List<ChatMessage> TURNS = List.of(ChatMessage.user("q1"), ChatMessage.assistant("a1"), ChatMessage.user("q2"));

    @TempDir
    Path directory;

    private static String render(String name, List<ChatMessage> messages) {
        return ChatTemplate.named(name).render(messages, true, SPECIAL).text();
    }

    private static List<ChatMessage> withSystem() {
        return List.of(SYSTEM, TURNS.get(0), TURNS.get(1), TURNS.get(2));
    }

    static List<String> names() {
        return ChatTemplate.names();
    }

    @Test
    void alpacaHasBlankLines() {
        assertThat(render("alpaca", TURNS.subList(0, 1))).isEqualTo(
                "Below is an instruction that describes a task. Write a response that appropriately completes the request.\n\n"
                        + "### Instruction:\n\nq1\n\n### Response:\n\n");
        assertThat(render("alpaca", withSystem())).isEqualTo("S\n\n### Instruction:\n\nq1\n\n### Response:\n\na1\n\n### Instruction:\n\nq2\n\n### Response:\n\n");
    }

    @Test
    void alpacaForTrainingHasNone() {
        assertThat(render("alpaca-training", TURNS.subList(0, 1))).isEqualTo(
                "Below is an instruction that describes a task. Write a response that appropriately completes the request.\n\n"
                        + "### Instruction:\nq1\n\n### Response: ");
    }

    @Test
    void chineseAlpaca2HasASystemMessageOfItsOwn() {
        assertThat(render("chinese-alpaca-2", TURNS)).isEqualTo(
                "<s>[INST] <<SYS>>\nYou are a helpful assistant. 你是一个乐于助人的助手。\n<</SYS>>\n\nq1 [/INST] a1</s><s>[INST] q2 [/INST]");
        assertThat(render("chinese-alpaca-2", withSystem())).startsWith("<s>[INST] <<SYS>>\nS\n<</SYS>>\n\nq1 [/INST]");
    }

    @Test
    void llama2() {
        assertThat(render("llama-2", TURNS)).isEqualTo("<s>[INST] q1 [/INST] a1 </s><s>[INST] q2 [/INST]");
        assertThat(render("llama-2", withSystem())).isEqualTo("<s>[INST] <<SYS>>\nS\n<</SYS>>\n\nq1 [/INST] a1 </s><s>[INST] q2 [/INST]");
    }

    @Test
    void llama3() {
        assertThat(render("llama-3", withSystem().subList(0, 2))).isEqualTo("<s><|start_header_id|>system<|end_header_id|>\n\nS<|eot_id|>"
                + "<|start_header_id|>user<|end_header_id|>\n\nq1<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n");
    }

    @Test
    void chatMl() {
        assertThat(render("chatml", withSystem())).isEqualTo("<|im_start|>system\nS<|im_end|>\n<|im_start|>user\nq1<|im_end|>\n"
                + "<|im_start|>assistant\na1<|im_end|>\n<|im_start|>user\nq2<|im_end|>\n<|im_start|>assistant\n");
    }

    @ParameterizedTest
    @MethodSource("names")
    void wordsOfMessagesAreQuoted(String name) {
        ChatPrompt prompt = ChatTemplate.named(name).render(
                List.of(ChatMessage.system("中"), ChatMessage.user("文"), ChatMessage.assistant("模"), ChatMessage.user("型")), true, SPECIAL);
        for (int i = 0; i < prompt.text().length(); i++) {
            assertThat(prompt.quoted().get(i)).as("%d of %s", i, prompt.text()).isEqualTo("中文模型".indexOf(prompt.text().charAt(i)) >= 0);
        }
    }

    @ParameterizedTest
    @MethodSource("names")
    void rolesTakeTurns(String name) {
        ChatTemplate template = ChatTemplate.named(name);
        assertThatThrownBy(() -> template.render(List.of(ChatMessage.assistant("a")), true, SPECIAL)).isInstanceOf(ChatTemplateException.class)
                .hasMessageContaining("message 1 has the role 'assistant', expected 'user'");
        assertThatThrownBy(() -> template.render(List.of(SYSTEM, TURNS.get(0), TURNS.get(2)), true, SPECIAL)).isInstanceOf(ChatTemplateException.class)
                .hasMessageContaining("message 3 has the role 'user', expected 'assistant'");
        assertThatThrownBy(() -> template.render(List.of(), true, SPECIAL)).isInstanceOf(ChatTemplateException.class).hasMessageContaining("no message");
    }

    @Test
    void anUnknownNameIsSaidWithThoseThereAre() {
        assertThatThrownBy(() -> ChatTemplate.named("vicuna")).isInstanceOf(IllegalArgumentException.class)
                .hasMessage("'vicuna' is no chat template; expected alpaca, alpaca-training, chinese-alpaca-2, llama-2, llama-3, chatml");
    }

    @Test
    void aFileIsReadAndItsErrorsNameIt() throws IOException {
        Path file = directory.resolve("t.jinja");
        Files.writeString(file, "{% for m in messages %}<{{ m.content }}>{% endfor %}{% if add_generation_prompt %}>{% endif %}{{ pad_token is defined }}\n");
        assertThat(ChatTemplate.read(file).render(TURNS, true, SPECIAL).text()).isEqualTo("<q1><a1><q2>>False");
        Files.writeString(file, "{{ raise_exception('only ' ~ messages | length) }}");
        assertThatThrownBy(() -> ChatTemplate.read(file).render(TURNS, true, SPECIAL)).isInstanceOf(ChatTemplateException.class)
                .hasMessage(file + ": the chat template refuses these messages: line 1: only 3");
        Files.writeString(file, "{% include 'x' %}");
        assertThatThrownBy(() -> ChatTemplate.read(file)).isInstanceOf(ChatTemplateException.class)
                .hasMessageStartingWith(file + ": the chat template cannot be read: line 1: the statement 'include' is not understood");
        assertThatThrownBy(() -> ChatTemplate.read(directory.resolve("none"))).isInstanceOf(ChatTemplateException.class).hasMessageContaining("no such file");
    }

    @Test
    void whatIsNoTextOrNoFileIsSaid(@TempDir Path folder) throws IOException {
        Path gbk = Files.write(folder.resolve("gbk.jinja"), new byte[] {(byte) 0xD1, (byte) 0xF2});
        assertThatThrownBy(() -> ChatTemplate.read(gbk)).isInstanceOf(ChatTemplateException.class).hasMessage(gbk + ": is not UTF-8");
        assertThatThrownBy(() -> ChatTemplate.read(folder)).hasMessageStartingWith(folder + ": is no regular file; a chat template is one of alpaca");
    }

    @Test
    void aRoleOfSomebodysOwnIsQuoted() {
        ChatTemplate template = ChatTemplate.jinja("{% for m in messages %}<|{{ m.role }}|>{% endfor %}", "t");
        assertThat(template.render(List.of(ChatMessage.user("")), false, SPECIAL).quoted().cardinality()).isZero();
        assertThat(template.render(List.of(new ChatMessage("im_end", "")), false, SPECIAL).quoted().cardinality()).isEqualTo("im_end".length());
    }
}
