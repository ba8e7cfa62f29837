package dev.yangtuo.cli;

import static dev.yangtuo.cli.CommandRun.DEMO;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What {@code merge-vocab} writes and says, and that a failure leaves everything as it was. */
class MergeVocabCommandTest {
    private static final Path BASE = DEMO.resolve("base/tokenizer.model");
    private static final Path CHINESE = DEMO.resolve("chinese-lora/tokenizer.model");
    private static final Path ALPACA = DEMO.resolve("alpaca-lora/tokenizer.model");

    /** What sha256sum prints for the demonstration model's files. */
    private static final String CHINESE_SHA256 = "ee1f90b563e26619a45b77b8fa6fbe06b40a0b5b3112149c637dbbdb21975093";
    private static final String ALPACA_SHA256 = "8582546679955c9aaa8366910059eea31e2761a9b7fcfd0aefad08df33c52e0c";

    @TempDir
    private Path directory;

    private static CommandRun merge(Path base, Path add, Path output, Object... more) {
        List<Object> args = new ArrayList<>(List.of("merge-vocab", "--base", base, "--add", add, "--output", output));
        args.addAll(List.of(more));
        return CommandRun.of(args.toArray());
    }

    private List<String> files() throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    private static JsonNode json(CommandRun run) throws IOException {
        assertThat(run.exitCode()).as(run.errors()).isZero();
        assertThat(run.errors()).isEmpty();
        assertThat(run.text().lines()).hasSize(1);
        return new ObjectMapper().readTree(run.text());
    }

    @Test
    void theFileIsWrittenAndTheFiguresAreOnStandardOutput() throws IOException {
        Path output = directory.resolve("chinese.model");
        CommandRun run = merge(BASE, CHINESE, output);
        assertThat(run.exitCode()).as(run.errors()).isZero();
        assertThat(output).hasSameBinaryContentAs(CHINESE);
        assertThat(run.errors()).isEmpty();
        assertThat(run.text()).isEqualTo("""
                added 9,183 of 12,183 pieces (ids 3,000 to 12,182); 3,000 were already there; vocabulary 3,000 -> 12,183
                %s: 161,694 bytes, SHA-256 %s
                """.formatted(output, CHINESE_SHA256));
        assertThat(files()).containsExactly("chinese.model");
    }

    @Test
    void padIsAppendedOnceAndThenFound() throws IOException {
        Path output = directory.resolve("alpaca.model");
        assertThat(merge(BASE, CHINESE, output, "--pad").text())
                .startsWith("added 9,183 of 12,183 pieces (ids 3,000 to 12,182) and [PAD] (id 12,183); 3,000 were already there;"
                        + " vocabulary 3,000 -> 12,184\n");
        assertThat(output).hasSameBinaryContentAs(ALPACA);
        assertThat(merge(output, CHINESE, output, "--pad").text()).startsWith(
                "added 0 of 12,183 pieces; 12,183 were already there; so was [PAD] (id 12,183); vocabulary 12,184\n");
        assertThat(output).hasSameBinaryContentAs(ALPACA);
    }

    @Test
    void jsonHasEveryFigure() throws IOException {
        Path output = directory.resolve("alpaca.model");
        JsonNode result = json(merge(BASE, CHINESE, output, "--pad", "--json"));
        assertThat(result).isEqualTo(new ObjectMapper().readTree("""
                {"base_pieces": 3000, "add_pieces": 12183, "added": 9183, "already_there": 3000, "passed_over": [], "first_new_id": 3000,
                 "last_new_id": 12182, "pad_id": 12183, "pad_added": true, "pieces": 12184, "output": "%s", "bytes": 161708,
                 "sha256": "%s"}""".formatted(output, ALPACA_SHA256)));
        JsonNode nothing = json(merge(BASE, BASE, output, "--json"));
        assertThat(nothing.get("added").intValue()).isZero();
        for (String id : List.of("first_new_id", "last_new_id", "pad_id")) {
            assertThat(nothing.get(id).isNull()).as(id).isTrue();
        }
        assertThat(nothing.get("pad_added").booleanValue()).isFalse();
        assertThat(output).hasSameBinaryContentAs(BASE);
    }

    @Test
    void theOutputMayBeAnInput() throws IOException {
        Path base = Files.copy(BASE, directory.resolve("base.model"));
        assertThat(merge(base, CHINESE, base).exitCode()).isZero();
        assertThat(base).hasSameBinaryContentAs(CHINESE);
        Path add = Files.copy(CHINESE, directory.resolve("add.model"));
        assertThat(merge(BASE, add, add, "--pad").exitCode()).isZero();
        assertThat(add).hasSameBinaryContentAs(ALPACA);
        assertThat(files()).containsExactly("add.model", "base.model");
    }

    @Test
    void aDamagedModelIsNamedAndTheFormerFileStays() throws IOException {
        Path output = Files.writeString(directory.resolve("out"), "former");
        Path cut = Files.write(directory.resolve("cut.model"), Arrays.copyOf(Files.readAllBytes(BASE), 30_000));
        for (CommandRun run : List.of(merge(cut, CHINESE, output), merge(BASE, cut, output))) {
            assertThat(run.exitCode()).isEqualTo(1);
            assertThat(run.output()).isEmpty();
            assertThat(run.problem()).contains(cut + ": at byte ");
            assertThat(run.errors().lines()).hasSize(1);
        }
        assertThat(merge(cut, CHINESE, output, "--verbose").hasStackTrace()).isTrue();
        assertThat(output).hasContent("former");
        assertThat(files()).containsExactly("cut.model", "out");
        assertThat(merge(BASE, CHINESE, directory).problem()).contains(directory + ": is a directory");
    }

    @Test
    void figuresThatCannotBeWrittenAreAFailure() throws IOException {
        Path output = directory.resolve("chinese.model");
        CommandRun run = CommandRun.with(new ByteArrayInputStream(new byte[0]), new OutputStream() {
            @Override
            public void write(int value) throws IOException {
                throw new IOException("full");
            }
        }, new ByteArrayOutputStream(), "merge-vocab", "--base", BASE, "--add", CHINESE, "--output", output);
        assertThat(run.exitCode()).isEqualTo(1);
        assertThat(run.problem()).contains("standard output cannot be written");
        assertThat(output).hasSameBinaryContentAs(CHINESE);
    }
}
