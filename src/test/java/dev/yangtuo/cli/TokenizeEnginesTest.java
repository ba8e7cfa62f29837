package dev.yangtuo.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.yangtuo.llamacpp.SharedLibrary;
import dev.yangtuo.llamacpp.SyntheticGguf;
import dev.yangtuo.llamacpp.VocabularyKind;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code tokenize} and {@code detokenize} with llama.cpp's tokenizer. */
class TokenizeEnginesTest {
    @TempDir
    private Path directory;

    private Path file(VocabularyKind kind) {
        return SyntheticGguf.qwen2(kind, true).write(directory.resolve("model.gguf"));
    }

    @Test
    void textGoesThereAndBack() {
        SharedLibrary.assumed();
        Path model = file(VocabularyKind.TEKKEN);
        String text = "The License, 羊驼!\n";
        CommandRun ids = CommandRun.with(text, "tokenize", "--engine", "llama.cpp", "--model", model);
        assertThat(ids.exitCode()).as(ids.errors()).isZero();
        assertThat(CommandRun.with(ids.output(), "detokenize", "--engine", "llama.cpp", "--model", model).text()).isEqualTo(text);
        assertThat(CommandRun.with(text, "tokenize", "--model", model).text()).as("auto").isEqualTo(ids.text());
        CommandRun ours = CommandRun.with(text, "tokenize", "--engine", "yangtuo", "--model", model);
        assertThat(ours.exitCode()).isEqualTo(1);
        assertThat(ours.errors()).contains("cuts words as 'tekken'");
    }

    @Test
    void bothAreWrittenWhereTheyDiffer() throws IOException {
        SharedLibrary.assumed();
        Path model = file(VocabularyKind.QWEN2);
        CommandRun same = CommandRun.with("The License\n\n羊驼\n", "tokenize", "--compare-engines", "--model", model);
        assertThat(same.errors()).contains("3 of 3 lines have the same ids");
        assertThat(same.exitCode()).isZero();
        assertThat(same.text().lines()).hasSize(3).allMatch(line -> line.startsWith("both      "));
        JsonNode object = new ObjectMapper().readTree(CommandRun.with("The\n", "tokenize", "--compare-engines", "--json", "--model", model).text());
        assertThat(object.get("equal").booleanValue()).isTrue();
        assertThat(object.get("yangtuo")).isEqualTo(object.get("llama_cpp")).isNotEmpty();
    }

    @Test
    void whatDoesNotGoTogetherIsSaid() {
        CommandRun run = CommandRun.of("tokenize", "--compare-engines", "--engine", "llama.cpp");
        assertThat(run.exitCode()).isEqualTo(2);
        assertThat(run.errors()).contains("--compare-engines goes with --json");
        assertThat(CommandRun.of("tokenize", "--compare-engines", "--sample", "0.1").exitCode()).isEqualTo(2);
        assertThat(CommandRun.of("tokenize", "--compare-engines", "--input", "a", "--output", "b").exitCode()).isEqualTo(2);
        assertThat(CommandRun.of("tokenize", "--compare-engines", "--jsonl").exitCode()).isEqualTo(2);
    }

    @Test
    void aDirectoryIsRefused() {
        SharedLibrary.assumed();
        CommandRun run = CommandRun.with("a\n", "tokenize", "--engine", "llama.cpp", "--model", CommandRun.TINY);
        assertThat(run.exitCode()).isEqualTo(1);
        assertThat(run.errors()).contains("is no file; llama.cpp's tokenizer needs a GGUF file");
    }
}
