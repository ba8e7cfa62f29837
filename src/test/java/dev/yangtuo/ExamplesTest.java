package dev.yangtuo;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.lang.reflect.Method;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.api.parallel.Resources;

/** The programs in examples/java, which the build compiles with the tests, do what they say with the demonstration model. */
@Timeout(60)
@ResourceLock(Resources.SYSTEM_OUT)
class ExamplesTest {
    private static final Path FOLDER = Path.of("examples", "java");

    @TempDir
    Path directory;

    @Test
    void streaming() throws Exception {
        assertThat(run("Streaming")).containsPattern("[，。]").containsPattern("\\d+ tokens after \\d+ \\(\\w+\\): waited \\d+ us, prompt \\d+ us, then \\d+ us a token");
    }

    @Test
    void manyTexts() throws Exception {
        List<String> lines = run("ManyTexts").lines().toList();
        assertThat(lines).hasSize(6).doesNotHaveDuplicates().allSatisfy(line -> assertThat(line).isNotBlank());
        assertThat(lines.get(4)).startsWith("later: ");
        assertThat(lines.getLast()).containsPattern("\\d+ texts in \\d+ forward passes");
    }

    @Test
    void embeddings() throws Exception {
        List<String> lines = run("Embeddings").lines().toList();
        assertThat(lines).hasSize(3);
        double verse = Double.parseDouble(lines.get(0).substring(0, 5));
        double english = Double.parseDouble(lines.get(2).substring(0, 5));
        assertThat(verse).as("verse is more like verse than like English").isGreaterThan(english);
    }

    @Test
    void scoring() throws Exception {
        List<String> lines = run("Scoring").lines().toList();
        assertThat(lines).hasSize(3).allSatisfy(line -> assertThat(line).contains(" nats, "));
        assertThat(Double.parseDouble(lines.get(0).substring(0, 8).strip())).isNegative();
    }

    @Test
    void mergeAdapter() throws Exception {
        Path merged = directory.resolve("merged.gguf");
        assertThat(run("MergeAdapter", "examples/demo-model/base", "examples/demo-model/chinese-lora", merged.toString()))
                .contains("keys and values of", "12183 pieces, no adapter needed any more");
        assertThat(merged).isRegularFile();
    }

    @Test
    void tokenizerOnly() throws Exception {
        List<String> lines = run("TokenizerOnly").lines().toList();
        assertThat(lines).hasSize(2);
        assertThat(tokens(lines.get(1))).as("tokens with the Chinese vocabulary").isLessThan(tokens(lines.get(0)));
    }

    private static int tokens(String line) {
        return Integer.parseInt(line.replaceFirst(".*: (\\d+) tokens of .*", "$1"));
    }

    @Test
    void conversation() throws Exception {
        List<String> lines = run("Conversation").lines().toList();
        assertThat(lines).contains("> 以《春夜》为题写一首诗。", "> 以《秋思》为题写一首诗。");
        assertThat(lines.getLast()).isEqualTo("4 messages");
        assertThat(lines).as("answers").hasSizeGreaterThanOrEqualTo(5);
    }

    @Test
    void offlineBatch() throws Exception {
        List<String> lines = run("OfflineBatch", "examples/demo-model/base", "examples/demo-model/chinese-lora", directory.toString()).lines().toList();
        assertThat(lines).filteredOn(line -> line.startsWith("{\"id\"")).hasSize(3).anyMatch(line -> line.contains("broken") && line.contains("error"));
        assertThat(lines).anyMatch(line -> line.contains("\"succeeded\":2")).anyMatch(line -> line.startsWith("《登高》: ")).anyMatch(line -> line.startsWith("《相思》: "));
    }

    @Test
    void everyExampleIsRunHere() throws IOException {
        try (Stream<Path> files = Files.list(FOLDER)) {
            List<String> names = files.map(file -> file.getFileName().toString()).filter(name -> name.endsWith(".java"))
                    .map(name -> Character.toLowerCase(name.charAt(0)) + name.substring(1, name.length() - 5)).toList();
            assertThat(Stream.of(ExamplesTest.class.getDeclaredMethods()).map(Method::getName)).containsAll(names);
        }
    }

    private static String run(String name, String... args) throws Exception {
        PrintStream before = System.out;
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
        try {
            Method main = Class.forName(name).getDeclaredMethod("main", String[].class);
            main.setAccessible(true); // the classes are not public
            main.invoke(null, (Object) args);
        } finally {
            System.setOut(before);
        }
        return out.toString(StandardCharsets.UTF_8);
    }
}
