package dev.yangtuo.chat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.yangtuo.exception.ChatTemplateException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Published chat templates come out as Python's jinja2 renders them, character for character; src/test/resources/chat/README.md says how that was written down. */
class PublishedTemplatesTest {
    private static final Path FOLDER = Path.of("src/test/resources/chat");
    private static final Clock CLOCK = Clock.fixed(Instant.parse("2026-01-05T08:09:07Z"), ZoneOffset.UTC);
    private static final SpecialTexts SPECIAL = new SpecialTexts("<s>", "</s>", "<unk>", "<pad>");
    private static final ObjectMapper JSON = new ObjectMapper();

    private static Map<String, List<ChatMessage>> conversations() throws IOException {
        Map<String, List<ChatMessage>> conversations = new LinkedHashMap<>();
        for (Map.Entry<String, JsonNode> entry : JSON.readTree(FOLDER.resolve("conversations.json").toFile()).properties()) {
            List<ChatMessage> messages = new ArrayList<>();
            entry.getValue().forEach(message -> messages.add(new ChatMessage(message.path("role").textValue(), message.path("content").textValue())));
            conversations.put(entry.getKey(), messages);
        }
        return conversations;
    }

    static Stream<Path> templates() throws IOException {
        List<Path> files;
        try (Stream<Path> all = Files.list(FOLDER.resolve("templates"))) {
            files = all.sorted().toList();
        }
        return files.stream();
    }

    @Test
    void thereAreEnoughOfThem() throws IOException {
        assertThat(templates()).hasSizeGreaterThanOrEqualTo(15);
    }

    @ParameterizedTest
    @MethodSource("templates")
    void rendersAsPythonDoes(Path file) throws IOException {
        JinjaTemplate template = new JinjaTemplate(Files.readString(file), file.toString(), CLOCK);
        Path golden = FOLDER.resolve("golden").resolve(file.getFileName().toString().replace(".jinja", ".jsonl"));
        Map<String, List<ChatMessage>> conversations = conversations();
        List<String> lines = Files.readAllLines(golden);
        assertThat(lines).hasSize(2 * conversations.size());
        for (String line : lines) {
            JsonNode expected = JSON.readTree(line);
            List<ChatMessage> messages = conversations.get(expected.path("conversation").textValue());
            boolean prompt = expected.path("add_generation_prompt").booleanValue();
            if (expected.has("error")) {
                assertThatThrownBy(() -> template.render(messages, prompt, SPECIAL)).as(line).isInstanceOf(ChatTemplateException.class)
                        .hasMessageStartingWith(file.toString());
            } else {
                ChatPrompt rendered = template.render(messages, prompt, SPECIAL);
                assertThat(rendered.text()).as(line).isEqualTo(expected.path("text").textValue());
            }
        }
    }

    /** With contents whose letters no template has, exactly these letters are quoted. */
    @ParameterizedTest
    @MethodSource("templates")
    void everyCharOfAMessageIsQuotedAndNoOther(Path file) throws IOException {
        JinjaTemplate template = new JinjaTemplate(Files.readString(file), file.toString(), CLOCK);
        List<ChatMessage> messages = List.of(ChatMessage.user("ἄνδρα"), ChatMessage.assistant("μοι"), ChatMessage.user(" ἔννεπε "));
        ChatPrompt rendered = template.render(messages, true, SPECIAL);
        assertThat(rendered.text()).contains("ἄνδρα", "μοι", "ἔννεπε");
        for (int i = 0; i < rendered.text().length(); i++) {
            char c = rendered.text().charAt(i);
            if (c != ' ') {
                boolean greek = Character.UnicodeScript.of(c) == Character.UnicodeScript.GREEK;
                assertThat(rendered.quoted().get(i)).as("%d: %s", i, c).isEqualTo(greek);
            }
        }
    }

    /** The others of llama.cpp, where YANGTUO_LLAMA_CPP_TEMPLATES names their folder; those that have changed since are left out. */
    @Test
    void othersRenderAsPythonDoes() throws Exception {
        String folder = System.getProperty("YANGTUO_LLAMA_CPP_TEMPLATES", System.getenv().getOrDefault("YANGTUO_LLAMA_CPP_TEMPLATES", ""));
        assumeTrue(!folder.isEmpty(), "YANGTUO_LLAMA_CPP_TEMPLATES does not name a folder of templates");
        int compared = 0;
        for (String line : Files.readAllLines(FOLDER.resolve("others.jsonl"))) {
            JsonNode expected = JSON.readTree(line);
            Path file = Path.of(folder, expected.path("template").textValue());
            if (Files.exists(file) && sha256(Files.readAllBytes(file)).equals(expected.path("sha256").textValue())) {
                assertThat(digests(new JinjaTemplate(Files.readString(file), file.toString(), CLOCK))).as(file.toString())
                        .isEqualTo(JSON.convertValue(expected.path("renderings"), List.class));
                compared++;
            }
        }
        assertThat(compared).as("templates of %s that are known", folder).isPositive();
    }

    private static List<String> digests(ChatTemplate template) throws Exception {
        List<String> digests = new ArrayList<>();
        for (List<ChatMessage> messages : conversations().values()) {
            for (boolean prompt : new boolean[] {false, true}) {
                try {
                    digests.add(sha256(template.render(messages, prompt, SPECIAL).text().getBytes(StandardCharsets.UTF_8)).substring(0, 16));
                } catch (ChatTemplateException e) {
                    digests.add("error");
                }
            }
        }
        return digests;
    }

    private static String sha256(byte[] bytes) throws Exception {
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    }
}
