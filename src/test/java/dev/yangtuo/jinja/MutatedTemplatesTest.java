package dev.yangtuo.jinja;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Whatever a template says, it is rendered or refused: nothing but a {@link JinjaException} comes out. */
@Timeout(60)
class MutatedTemplatesTest {
    private static final long SEED = 20260105;
    private static final int MUTANTS = 1500;
    private static final List<String> SNIPPETS = List.of("{{", "}}", "{%", "%}", "-", "|", "(", ")", "[", "]", "{", "}", "'", "\"", ".", ",", ":", "=", "~", "*", "**", "is ", "in ", "not ",
            "none", "true", "1", "-1", "0", "2.5", "''", "[]", "{}", "()", "loop", "loop.index0", "messages", "message", "content", "range", "namespace", "| length", "| list", "| tojson",
            "| first", "| map('upper')", "| sort", "| int", "| join", "| dictsort", "| items", "| default", "| round(400)", "| batch(0)", ".split()", ".strip(1)", ".get", ".items()",
            "[::-1]", "[1:]", "[::0]", "['a']", ".format", ".center(-1)", "% 0", "// 0", "** 99", "\\", "\n", " ", "\u0000", "\uD800", "else", "endif", "endfor", "set ", "for ", "if ");

    private static Map<String, @Nullable Object> variables() {
        List<Map<Text, Text>> messages = new ArrayList<>();
        for (String role : List.of("system", "user", "assistant", "user")) {
            Map<Text, Text> message = new LinkedHashMap<>();
            message.put(Text.of("role"), Text.of(role));
            message.put(Text.of("content"), Text.quote(" " + role + " 你好 😀 \n"));
            messages.add(message);
        }
        Map<String, @Nullable Object> variables = new LinkedHashMap<>();
        variables.put("messages", messages);
        variables.put("add_generation_prompt", true);
        variables.put("bos_token", Text.of("<s>"));
        variables.put("tools", null);
        return variables;
    }

    private static List<String> seeds() throws IOException {
        List<String> seeds = new ArrayList<>();
        try (Stream<Path> files = Files.list(Path.of("src/test/resources/chat/templates"))) {
            for (Path file : files.sorted().toList()) {
                seeds.add(Files.readString(file));
            }
        }
        for (String line : Files.readAllLines(Path.of("src/test/resources/chat/snippets.txt"))) {
            seeds.add(line.substring(1, line.length() - 1).replace("\\\"", "\""));
        }
        return seeds;
    }

    @Test
    void isRenderedOrRefused() throws IOException {
        Random random = new Random(SEED);
        List<String> seeds = seeds();
        int rendered = 0;
        for (int i = 0; i < MUTANTS; i++) {
            String template = mutated(seeds.get(random.nextInt(seeds.size())), random);
            try {
                Text text = Program.parse(template).render(variables(), 100, LocalDateTime.of(2026, 1, 5, 8, 9, 7));
                assertThat(text.quoted().length()).isLessThanOrEqualTo(text.value().length());
                rendered++;
            } catch (JinjaException e) {
                assertThat(e.getMessage()).isNotBlank();
            } catch (RuntimeException | Error e) {
                throw new AssertionError("seed %d, mutant %d: %s".formatted(SEED, i, template), e);
            }
        }
        assertThat(rendered).as("some stay templates").isGreaterThan(MUTANTS / 20);
    }

    private static String mutated(String seed, Random random) {
        StringBuilder template = new StringBuilder(seed);
        for (int edits = 1 + random.nextInt(4); edits > 0 && !template.isEmpty(); edits--) {
            int at = random.nextInt(template.length());
            switch (random.nextInt(3)) {
                case 0 -> template.insert(at, SNIPPETS.get(random.nextInt(SNIPPETS.size())));
                case 1 -> template.delete(at, Math.min(template.length(), at + 1 + random.nextInt(12)));
                default -> template.replace(at, Math.min(template.length(), at + 1 + random.nextInt(4)), SNIPPETS.get(random.nextInt(SNIPPETS.size())));
            }
        }
        return template.toString();
    }
}
