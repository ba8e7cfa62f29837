package dev.yangtuo.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.yangtuo.Llama;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.assertj.core.api.SoftAssertions;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The vocabularies that llama.cpp's tests use, with the ids that the models' own tokenizers gave: files {@code ggml-vocab-NAME.gguf} with
 * {@code .inp} and {@code .out} in {@code models} of a checkout of llama.cpp, which the data folder may be, or in {@code ggml-vocab} of
 * the data folder.
 */
class GgmlVocabularyTest {
    private static final String SEPARATOR = "\n__ggml_vocab_test__\n";

    static Path vocabulary(String name) {
        Optional<Path> file = TestModels.data("models/ggml-vocab-" + name + ".gguf")
                .or(() -> TestModels.data("ggml-vocab/ggml-vocab-" + name + ".gguf"));
        assumeTrue(file.isPresent(), "YANGTUO_TEST_DATA names no folder with ggml-vocab-" + name + ".gguf");
        return file.orElseThrow();
    }

    @ParameterizedTest
    @ValueSource(strings = {"gpt-2", "mpt", "starcoder", "refact", "command-r", "llama-bpe", "qwen2", "qwen35", "deepseek-llm",
            "deepseek-coder", "llama-spm", "phi-3"})
    void idsEqualThoseOfTheModelsOwnTokenizer(String name) throws IOException {
        Path file = vocabulary(name);
        Tokenizer tokenizer = Llama.loadTokenizer(file);
        String[] texts = Files.readString(Path.of(file + ".inp")).split(SEPARATOR);
        List<String> lines = Files.readAllLines(Path.of(file + ".out"));
        assertThat(texts).hasSizeGreaterThan(40).hasSameSizeAs(lines);
        SoftAssertions softly = new SoftAssertions();
        for (int i = 0; i < texts.length; i++) {
            int[] expected = Arrays.stream(lines.get(i).split(" ")).filter(id -> !id.isEmpty()).mapToInt(Integer::parseInt).toArray();
            softly.assertThat(tokenizer.encode(texts[i])).as("ids of '%s'", texts[i]).containsExactly(expected);
            softly.assertThat(tokenizer.decode(expected)).as("text of the ids of '%s'", texts[i]).isEqualTo(texts[i]);
        }
        softly.assertAll();
    }
}
