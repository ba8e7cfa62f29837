package dev.yangtuo.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.assertj.core.api.SoftAssertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Ids and decoded text equal SentencePiece's own. */
class GoldenTest {
    private static final Path OURS = Path.of("src/test/resources/tokenizer");

    private record Case(String text, int[] ids, String decoded) {}

    @ParameterizedTest
    @CsvSource({"demo-base, base", "demo-chinese, chinese-lora"})
    void demoModelsEqualSentencePiece(String golden, String model) throws IOException {
        check(Tokenizer.load(Path.of("examples/demo-model", model, "tokenizer.model")), OURS.resolve(golden + ".jsonl"));
    }

    @ParameterizedTest
    @CsvSource({"llama", "chinese-llama-2", "chinese-sp-20k"})
    void modelsOfTheDataFolderEqualSentencePiece(String name) throws IOException {
        check(Tokenizer.load(data("tokenizers/" + name + ".model")), data("tokenizers/golden/" + name + ".jsonl"));
    }

    @Test
    void llamaWithTheChinesePiecesAddedEqualsSentencePiece() throws IOException {
        Path golden = data("tokenizers/golden/chinese-llama.jsonl");
        check(chineseLlama(), golden);
    }

    @Test
    void knownIdsOfTheMergedVocabulary() {
        Tokenizer tokenizer = chineseLlama();
        assertThat(tokenizer.vocabSize()).isEqualTo(49_953);
        assertThat(tokenizer.encode("中国人民银行")).containsExactly(33456, 32695, 32226);
        assertThat(tokenizer.encode("越来越")).containsExactly(29871, 31844, 30805, 31844);
        assertThat(tokenizer.encode("people create William"))
                .containsExactly(282, 45574, 552, 2181, 43806, 29872, 4624, 492, 314);
    }

    private static Tokenizer chineseLlama() {
        Path llama = data("tokenizers/llama.model");
        VocabularyMerge merge = VocabularyMerge.merge(llama, data("tokenizers/chinese-sp-20k.model"), false);
        return Tokenizer.of(SentencePieceModel.parse(llama, merge.model()));
    }

    private static Path data(String name) {
        Optional<Path> file = TestModels.data(name);
        assumeTrue(file.isPresent(), "YANGTUO_TEST_DATA names no folder with " + name);
        return file.orElseThrow();
    }

    private static void check(Tokenizer tokenizer, Path golden) throws IOException {
        List<Case> cases = read(golden);
        assertThat(cases).hasSizeGreaterThan(300);
        SoftAssertions softly = new SoftAssertions();
        for (Case c : cases) {
            softly.assertThat(tokenizer.encode(c.text())).as("ids of '%s'", c.text()).containsExactly(c.ids());
            softly.assertThat(tokenizer.encode(c.text().getBytes(StandardCharsets.UTF_8), EncodeOptions.PLAIN))
                    .as("ids of the UTF-8 of '%s'", c.text()).containsExactly(c.ids());
            softly.assertThat(tokenizer.decode(c.ids())).as("text of the ids of '%s'", c.text()).isEqualTo(c.decoded());
        }
        softly.assertAll();
    }

    private static List<Case> read(Path golden) throws IOException {
        ObjectMapper mapper = new ObjectMapper();
        List<Case> cases = new ArrayList<>();
        try (Stream<String> lines = Files.lines(golden)) {
            for (String line : (Iterable<String>) lines::iterator) {
                JsonNode node = mapper.readTree(line);
                cases.add(new Case(node.get("text").asText(), mapper.convertValue(node.get("ids"), int[].class),
                        node.get("decoded").asText()));
            }
        }
        return cases;
    }
}
