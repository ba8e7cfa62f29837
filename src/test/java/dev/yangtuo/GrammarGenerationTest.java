package dev.yangtuo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.networknt.schema.JsonSchema;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SpecVersion;
import dev.yangtuo.exception.GrammarException;
import dev.yangtuo.grammar.Grammar;
import java.io.IOException;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Texts of the demonstration model under grammars. */
@Timeout(60)
class GrammarGenerationTest {
    private static final String POEM = """
            {"type": "object", "properties": {"title": {"type": "string", "minLength": 1, "maxLength": 8},
             "lines": {"type": "array", "items": {"type": "string", "pattern": "^[一-鿿]{5}$"}, "minItems": 2, "maxItems": 4},
             "year": {"type": "integer", "minimum": 618, "maximum": 907}}, "required": ["title", "lines", "year"], "additionalProperties": false}""";
    private static final GenerateOptions SAMPLED = GenerateOptions.defaults().temperature(1f).topK(0).topP(1f).maxTokens(250);

    private static Llama llama;

    @BeforeAll
    static void load() {
        llama = Llama.load(ModelFolders.DEMO.resolve("base"), LoadOptions.defaults().lora(ModelFolders.DEMO.resolve("chinese-lora")).maxSequences(8));
    }

    @AfterAll
    static void close() {
        llama.close();
    }

    @Test
    void jsonIsValidUnderItsSchema() throws IOException {
        ObjectMapper json = new ObjectMapper().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);
        JsonSchema validator = JsonSchemaFactory.getInstance(SpecVersion.VersionFlag.V202012).getSchema(POEM);
        GenerateOptions options = SAMPLED.grammar(Grammar.jsonSchema(POEM));
        List<GenerationResult> results = IntStream.range(0, 16).parallel()
                .mapToObj(seed -> llama.generate(seed % 2 == 0 ? "《静夜思》李白\n" : "", options.seed(seed)).result()).toList();
        for (GenerationResult result : results) {
            assertThat(result.finishReason()).as(result.text()).isEqualTo(FinishReason.END_OF_TEXT);
            JsonNode value = json.readTree(result.text());
            assertThat(validator.validate(value)).as(result.text()).isEmpty();
        }
        assertThat(results.stream().map(GenerationResult::text).distinct()).hasSizeGreaterThan(8);
    }

    @Test
    void linesOfAPoemHaveTheirForm() {
        Grammar grammar = Grammar.regex("([一-鿿]{5}[，。]\n?){4}");
        for (String prompt : List.of("", "《春晓》孟浩然\n", "In the beginning")) {
            GenerationResult result = llama.generate(prompt, GenerateOptions.defaults().greedy().grammar(grammar).maxTokens(100)).result();
            assertThat(result.text()).matches("([一-鿿]{5}[，。]\n?){4}");
            assertThat(result.finishReason()).isEqualTo(FinishReason.END_OF_TEXT);
        }
    }

    @Test
    void guessesAndLogProbabilitiesChangeNothing() {
        GenerateOptions options = GenerateOptions.defaults().greedy().maxTokens(80).grammar(Grammar.gbnf("""
                root ::= (line "\\n"){3}
                line ::= [一-鿿]{3,7} "，" [一-鿿]{3,7} "。"
                """));
        String prompt = "床前明月光，疑是地上霜。\n举头望明月，低头思故乡。\n";
        GenerationResult plain = llama.generate(prompt, options).result();
        assertThat(llama.generate(prompt, options.promptLookup(6)).result().ids()).isEqualTo(plain.ids());
        GenerationResult told = llama.generate(prompt, options.logProbabilities(2)).result();
        assertThat(told.ids()).isEqualTo(plain.ids());
        assertThat(told.logProbabilities()).hasSize(plain.ids().size());
    }

    @Test
    void aTextThatIsCutOffIsABeginning() {
        GenerationResult result = llama.generate("《", GenerateOptions.defaults().greedy().maxTokens(6).grammar(Grammar.regex("[一-鿿]{60}"))).result();
        assertThat(result.finishReason()).isEqualTo(FinishReason.MAX_TOKENS);
        assertThat(result.text()).matches("[一-鿿]{1,60}\uFFFD?");
    }

    @Test
    void aGrammarThatTheVocabularyCannotFollowIsSaidBeforeAnythingIsComputed() {
        assertThatThrownBy(() -> llama.generate("a", SAMPLED.grammar(Grammar.gbnf("root ::= <[999999]>"))))
                .isInstanceOf(GrammarException.class).hasMessageContaining("token 999999");
    }

    @Test
    void aGrammarThatIsTooAmbiguousFailsItsTextAlone() {
        String ambiguous = IntStream.range(0, 20).mapToObj(i -> "r%d ::= r%d \"x\" | r%d \"y\"\n".formatted(i, i + 1, i + 1))
                .reduce("root ::= r0\n", String::concat) + "r20 ::= \"a\"\n";
        assertThatThrownBy(() -> llama.generate("a", SAMPLED.grammar(Grammar.gbnf(ambiguous))).result())
                .isInstanceOf(GrammarException.class).hasMessageContaining("too ambiguous");
        assertThat(llama.generate("床前", GenerateOptions.defaults().greedy().maxTokens(4)).result().generatedTokens()).isEqualTo(4);
    }
}
