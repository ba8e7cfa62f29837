package dev.yangtuo.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.assertj.core.api.SoftAssertions;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Pieces, places in the text and the n best segmentations equal SentencePiece's own. */
class DetailsTest {
    private static final Path FOLDER = Path.of("src/test/resources/tokenizer");

    /** The golden scores were printed with six digits. */
    private static final float PRINTED = 1e-5f;

    private static Tokenizer tokenizer(String name) {
        return Tokenizer.load(name.equals("demo-chinese") ? TestModels.DEMO_CHINESE : TestModels.made(name));
    }

    private static List<JsonNode> golden(String name) throws IOException {
        ObjectMapper mapper = new ObjectMapper();
        List<JsonNode> cases = new ArrayList<>();
        for (String line : Files.readString(FOLDER.resolve(name + ".details.jsonl")).split("\n")) {
            cases.add(mapper.readTree(line));
        }
        assertThat(cases).hasSize(36);
        return cases;
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "demo-chinese", "bpe-nfkc", "bpe-nmt-nfkc-cf", "bpe-identity", "unigram-nfkc-cf", "unigram-suffix", "unigram-rules"})
    void piecesAndPlaces(String name) throws IOException {
        Tokenizer tokenizer = tokenizer(name);
        SoftAssertions softly = new SoftAssertions();
        for (JsonNode node : golden(name)) {
            String text = node.get("text").textValue();
            List<String> expected = new ArrayList<>();
            node.get("tokens").forEach(token -> expected.add("%d %s %d-%d".formatted(
                    token.get(0).intValue(), token.get(1).textValue(), token.get(2).intValue(), token.get(3).intValue())));
            byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
            List<Token> tokens = tokenizer.encodeAsTokens(text, EncodeOptions.PLAIN);
            softly.assertThat(tokens).as("tokens of '%s'", text).extracting(
                    token -> "%d %s %d-%d".formatted(token.id(), token.piece(), token.byteStart(), token.byteEnd())).isEqualTo(expected);
            softly.assertThat(tokenizer.encodeAsTokens(utf8, EncodeOptions.PLAIN)).as("tokens of the UTF-8 of '%s'", text).isEqualTo(tokens);
            for (Token token : tokens) {
                softly.assertThat(text.substring(0, token.charStart()).getBytes(StandardCharsets.UTF_8)).as("chars and bytes before %s", token)
                        .hasSize(token.byteStart());
                softly.assertThat(text.substring(0, token.charEnd()).getBytes(StandardCharsets.UTF_8)).as("chars and bytes up to %s", token)
                        .hasSize(token.byteEnd());
            }
        }
        softly.assertAll();
    }

    @ParameterizedTest
    @ValueSource(strings = {"unigram-nfkc-cf", "unigram-suffix", "unigram-rules"})
    void nBestSegmentations(String name) throws IOException {
        Tokenizer tokenizer = tokenizer(name);
        ObjectMapper mapper = new ObjectMapper();
        for (JsonNode node : golden(name)) {
            String text = node.get("text").textValue();
            List<Segmentation> best = tokenizer.nBest(text, 6);
            JsonNode expected = node.get("nbest");
            assertThat(best).as("segmentations of '%s'", text).hasSize(expected.size());
            for (int i = 0; i < best.size(); i++) {
                float score = expected.get(i).get("score").floatValue();
                assertThat(best.get(i).ids()).as("segmentation %d of '%s'", i, text)
                        .containsExactly(mapper.convertValue(expected.get(i).get("ids"), int[].class));
                assertThat(best.get(i).score()).as("score %d of '%s'", i, text).isCloseTo(score, within(PRINTED * Math.max(1, Math.abs(score))));
            }
            assertThat(tokenizer.nBest(text, 1)).singleElement().satisfies(one -> {
                assertThat(one.ids()).containsExactly(tokenizer.encode(text));
                // Summed from the left here, from the right there.
                assertThat(one.score()).isCloseTo(best.getFirst().score(), within(PRINTED * Math.max(1, Math.abs(one.score()))));
            });
        }
    }
}
