package dev.yangtuo.batch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is said of lines that are no requests. */
class LineParsersTest {
    private static BatchRequest parse(LineParser parser, String line) throws RequestProblem {
        return parser.parse(line.getBytes(StandardCharsets.UTF_8)).request().make("1");
    }

    private static void refuses(LineParser parser, String line, String... parts) {
        assertThatThrownBy(() -> parse(parser, line)).as(line).isInstanceOf(RequestProblem.class).hasMessageContainingAll(parts);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "{}|has neither prompt nor messages",
        "{\"prompt\":\"a\",\"messages\":[]}|has both prompt and messages",
        "{\"prompt\":5}|prompt is 5; expected a string or an array of token ids",
        "{\"prompt\":[]}|prompt is an empty array; expected a string",
        "{\"prompt\":[1,\"b\"]}|an element of prompt is the string 'b'; expected a whole number",
        "{\"prompt\":\"a\",\"temperature\":\"hot\"}|temperature is the string 'hot'; expected a number",
        "{\"prompt\":\"a\",\"top_k\":1.5}|top_k is 1.5; expected a whole number",
        "{\"prompt\":\"a\",\"top_k\":99999999999}|top_k is 99999999999; expected a whole number",
        "{\"prompt\":\"a\",\"greedy\":1}|greedy is 1; expected true or false",
        "{\"prompt\":\"a\",\"stop\":[1]}|an element of stop is 1; expected a string",
        "{\"prompt\":\"a\",\"n\":2}|n is 2, must be 1",
        "{\"prompt\":\"a\",\"best_of\":3}|best_of is 3, must be 1",
        "{\"prompt\":\"a\",\"stream\":true}|stream is true",
        "{\"prompt\":\"a\",\"tempreature\":1}|'tempreature' is no option; there are greedy, temperature",
        "{\"prompt\":\"a\",\"logprobs\":\"x\"}|logprobs is the string 'x'; expected a whole number",
        "{\"prompt\":\"a\",\"top_logprobs\":2}|top_logprobs needs",
        "{\"prompt\":\"a\",\"seed\":1e3}|seed is 1000.0; expected a whole number",
        "{\"prompt\":\"a\",\"seed\":18446744073709551615}|seed is 18446744073709551615; expected a whole number of 64 bits",
        "{\"prompt\":\"a\",\"dynatemp_exp\":2}|dynatemp_exp needs dynatemp_range",
        "{\"prompt\":\"a\",\"xtc_threshold\":2}|xtc_threshold needs xtc_probability",
        "{\"prompt\":\"a\",\"mirostat_tau\":2}|mirostat_tau or mirostat_eta needs mirostat",
        "{\"prompt\":\"a\",\"mirostat\":1}|mirostat is 1, must be 0 (off) or 2",
        "{\"prompt\":\"a\",\"logit_bias\":[1]}|logit_bias is an array; expected an object of tokens and their biases",
        "{\"prompt\":\"a\",\"logit_bias\":{\"5\":\"x\"}}|the bias of token '5' is the string 'x'; expected a number",
        "{\"prompt\":\"a\",\"ban\":[true]}|a token of ban is true; expected a whole number",
        "{\"prompt\":\"a\",\"grammar\":\"root ::= (\"}|grammar: ",
        "{\"prompt\":\"a\",\"regex\":\"(\"}|regex: ",
        "{\"prompt\":\"a\",\"json_schema\":5}|json_schema is 5; expected an object, the schema",
        "{\"prompt\":\"a\",\"regex\":\"a\",\"response_format\":{\"type\":\"json_object\"}}|has several of grammar, json_schema, regex and response_format",
        "{\"messages\":[]}|messages is an empty array",
        "{\"messages\":[{\"role\":\"user\"}]}|messages[0] has no content",
        "{\"messages\":[{\"content\":\"x\"}]}|messages[0] has no role",
        "{\"messages\":[{\"role\":\"\",\"content\":\"x\"}]}|messages[0].role is empty",
        "{\"messages\":[{\"role\":\"user\",\"content\":5}]}|messages[0].content is 5; expected a string",
        "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\"}]}]}|only text is supported",
        "{\"messages\":[{\"role\":\"user\",\"content\":\"x\",\"tool_calls\":[1]}]}|'tool_calls' is not supported",
        "{\"id\":1.5,\"prompt\":\"a\"}|id is 1.5; expected a string or a whole number",
        "{\"id\":\"\\ud800\",\"prompt\":\"a\"}|half a character",
        "{\"prompt\":\"a\",\"prompt\":\"b\"}|is not valid JSON",
        "{\"prompt\":\"a\"} x|is not valid JSON",
        "{\"prompt\":\"a\"|is not valid JSON",
        "[1]|is an array; expected an object",
        "\"a\"|is the string 'a'; expected an object",
    })
    void jsonLinesSayWhatIsWrong(String line, String problem) {
        refuses(new JsonLineParser(), line, problem);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "{\"method\":\"POST\"}|has no custom_id",
        "{\"custom_id\":5}|custom_id is 5; expected a string",
        "{\"custom_id\":\"a\",\"url\":\"/v1/completions\",\"body\":{}}|has no method",
        "{\"custom_id\":\"a\",\"method\":\"GET\",\"url\":\"/v1/completions\",\"body\":{}}|method is 'GET'; expected 'POST'",
        "{\"custom_id\":\"a\",\"method\":\"POST\",\"url\":\"/v1/embeddings\",\"body\":{}}|url is '/v1/embeddings'; expected '/v1/chat/completions' or",
        "{\"custom_id\":\"a\",\"method\":\"POST\",\"url\":\"/v1/completions\"}|has no body",
        "{\"custom_id\":\"a\",\"method\":\"POST\",\"url\":\"/v1/completions\",\"body\":[]}|body is an empty array; expected an object",
        "{\"custom_id\":\"a\",\"method\":\"POST\",\"url\":\"/v1/completions\",\"body\":{\"model\":\"m\"}}|body has no prompt",
        "{\"custom_id\":\"a\",\"method\":\"POST\",\"url\":\"/v1/chat/completions\",\"body\":{\"prompt\":\"m\"}}|body has no messages",
        "{\"custom_id\":\"a\",\"method\":\"POST\",\"url\":\"/v1/completions\",\"body\":{\"prompt\":\"m\",\"messages\":[]}}|'messages' is no option",
        "{\"custom_id\":\"a\",\"method\":\"POST\",\"url\":\"/v1/completions\",\"body\":{\"prompt\":\"m\",\"model\":3}}|model is 3; expected a string",
        "{\"custom_id\":\"a\",\"method\":\"POST\",\"url\":\"/v1/completions\",\"body\":{\"prompt\":\"m\",\"response_format\":{\"type\":\"xml\"}}}|response_format is of type 'xml'; expected 'text'",
        "{\"custom_id\":\"a\",\"method\":\"POST\",\"url\":\"/v1/completions\",\"body\":{\"prompt\":\"m\"},\"x\":1}|'x' is not known",
    })
    void openAisLinesSayWhatIsWrong(String line, String problem) {
        refuses(new OpenAiParser(), line, problem);
    }

    @Test
    void whatIsNotUtf8IsRefused() {
        byte[] gbk = "{\"prompt\":\"\u00d1\u00f2\"}".getBytes(StandardCharsets.ISO_8859_1);
        for (LineParser parser : List.of(new JsonLineParser(), new OpenAiParser())) {
            assertThatThrownBy(() -> parser.parse(gbk)).isInstanceOf(RequestProblem.class).hasMessage("is not UTF-8");
        }
    }

    @Test
    void whatIsNoJsonIsSaidToWhoWroteIt() {
        for (String line : List.of("{\"prompt\":\"a\"}{}", "{\"temperature\":NaN}", "{\"prompt\":" + "[".repeat(100), "{\"id\":" + "9".repeat(2000) + "}")) {
            assertThatThrownBy(() -> parse(new JsonLineParser(), line)).hasMessageStartingWith("is not valid JSON")
                    .satisfies(e -> assertThat(e.getMessage()).doesNotContain("Feature", "Constraints", "fasterxml", "column 0"));
        }
    }

    @Test
    void aFieldOfCsvDoesNotEndAtACarriageReturn() throws RequestProblem {
        Csv csv = Csv.open();
        assertThat(csv.fields("1,\"a\rb\"".getBytes(StandardCharsets.UTF_8))).containsExactly("1", "a\rb");
        for (String record : List.of("1,a\rb", "id,prompt\r1,a\r2,b", "1,a\r\r")) {
            assertThatThrownBy(() -> csv.fields(record.getBytes(StandardCharsets.UTF_8))).as(record).isInstanceOf(RequestProblem.class)
                    .hasMessageContaining("carriage return outside of quotes");
        }
    }

    @Test
    void deepNestingIsRefused() {
        refuses(new JsonLineParser(), "{\"prompt\":" + "[".repeat(100_000), "is not valid JSON", "nesting depth");
    }

    @Test
    void aLongIdIsRefused() {
        refuses(new JsonLineParser(), "{\"id\":\"" + "x".repeat(1001) + "\",\"prompt\":\"a\"}", "the id has 1001 characters; at most 1000");
    }

    @Test
    void messagesQuoteLittleOfALine() {
        assertThatThrownBy(() -> parse(new JsonLineParser(), "{\"prompt\":\"a\",\"top_k\":\"" + "\\u001b".repeat(5000) + "\"}"))
                .satisfies(e -> assertThat(e.getMessage()).hasSizeLessThan(1000).contains("\\u001b\\u001b").doesNotContain("\u001b"));
    }

    @Test
    void messagesMayHavePartsOfText() throws RequestProblem {
        BatchRequest request = parse(new JsonLineParser(),
                "{\"messages\":[{\"role\":\"user\",\"name\":\"x\",\"content\":[{\"type\":\"text\",\"text\":\"a\"},{\"type\":\"text\",\"text\":\"b\"}]}]}");
        assertThat(request.prompt()).isInstanceOfSatisfying(BatchPrompt.Chat.class, chat -> {
            assertThat(chat.messages()).hasSize(1);
            assertThat(chat.messages().getFirst().role()).isEqualTo("user");
            assertThat(chat.messages().getFirst().content()).isEqualTo("ab");
        });
    }

    @Test
    void fieldsThatAreNullAreNotThere() throws RequestProblem {
        BatchRequest request = parse(new JsonLineParser(), "{\"prompt\":\"a\",\"messages\":null,\"temperature\":null,\"unheard_of\":null,\"user\":\"me\"}");
        assertThat(request.prompt()).isEqualTo(new BatchPrompt.Text("a"));
    }

    private static final List<String> LINES = List.of(
            "{\"id\":\"a\",\"prompt\":[1,2],\"temperature\":0.5,\"logit_bias\":{\"5\":1},\"ban\":[\"x\",7],\"stop\":[\"a\"],\"json_schema\":{\"type\":\"string\"}}",
            "{\"id\":12345678901234567890,\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"\\ud83d\\ude00\"}]}],\"mirostat\":2,\"mirostat_tau\":3}",
            "{\"custom_id\":\"c\",\"method\":\"POST\",\"url\":\"/v1/chat/completions\",\"body\":{\"messages\":[{\"role\":\"user\",\"content\":\"山\"}],\"logprobs\":true,\"top_logprobs\":2,"
                    + "\"response_format\":{\"type\":\"json_object\"}}}");

    /** Lines with some bytes changed, taken out or put in: each is a request, or is said to be none. */
    @Property(tries = 1500)
    void noLineIsMoreThanAProblem(@ForAll @IntRange(max = 2) int line, @ForAll long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        List<Byte> bytes = new ArrayList<>();
        for (byte each : LINES.get(line).getBytes(StandardCharsets.UTF_8)) {
            bytes.add(each);
        }
        byte[] likely = "{}[]\",:0-9.eE\\untrfals\u0000\u00ff ".getBytes(StandardCharsets.ISO_8859_1);
        for (int change = random.nextInt(1, 5); change > 0; change--) {
            int at = random.nextInt(bytes.size());
            byte next = likely[random.nextInt(likely.length)];
            switch (random.nextInt(3)) {
                case 0 -> bytes.set(at, next);
                case 1 -> bytes.add(at, next);
                default -> bytes.remove(at);
            }
        }
        byte[] changed = new byte[bytes.size()];
        for (int i = 0; i < changed.length; i++) {
            changed[i] = bytes.get(i);
        }
        for (LineParser parser : List.of(new JsonLineParser(), new OpenAiParser())) {
            try {
                LineParser.Parsed parsed = parser.parse(changed);
                assertThat(parsed.request().make(parsed.id().map(RecordId::text).orElse("1"))).isNotNull();
            } catch (RequestProblem e) {
                assertThat(e.getMessage()).isNotBlank().doesNotContain("\n").hasSizeLessThan(2000);
            }
        }
    }
}
