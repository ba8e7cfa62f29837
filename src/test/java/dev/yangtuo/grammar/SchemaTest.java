package dev.yangtuo.grammar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.networknt.schema.JsonSchema;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SchemaValidatorsConfig;
import com.networknt.schema.SpecVersion;
import dev.yangtuo.exception.GrammarException;
import dev.yangtuo.tokenizer.Tokenizer;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** JSON schemas: what is written is valid under them, by a validator that is not ours. */
class SchemaTest {
    /** Duplicate keys and a second value are no JSON here. */
    static final JsonMapper STRICT = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS, DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .build();

    static JsonSchema validator(String schema) throws JsonProcessingException {
        SchemaValidatorsConfig config = SchemaValidatorsConfig.builder().formatAssertionsEnabled(true).build();
        return JsonSchemaFactory.getInstance(SpecVersion.VersionFlag.V202012).getSchema(STRICT.readTree(schema), config);
    }

    static Stream<String> schemas() {
        return Schemas.ALL.stream();
    }

    /** 50 texts for each of 20 schemas. */
    @ParameterizedTest
    @MethodSource("schemas")
    void whatIsWrittenIsValid(String schema) throws JsonProcessingException {
        Tokenizer tokenizer = Vocabularies.DEMO;
        Grammar grammar = Grammar.jsonSchema(schema);
        JsonSchema validator = validator(schema);
        Random random = new Random(schema.hashCode());
        for (int i = 0; i < 50; i++) {
            String text = tokenizer.continuationDecoder(new int[] {tokenizer.bosId()}).flush()
                    + RandomTexts.text(tokenizer, RandomTexts.ids(grammar, tokenizer, random, 5 + random.nextInt(80)));
            JsonNode value = STRICT.readTree(text);
            assertThat(validator.validate(value)).as(text).isEmpty();
            assertThat(Matching.schema(schema, text)).as(text).isTrue();
        }
    }

    private static void writes(String schema, List<String> texts, List<String> others) {
        for (String text : texts) {
            assertThat(Matching.schema(schema, text)).as("%s under %s", text, schema).isTrue();
        }
        for (String text : others) {
            assertThat(Matching.schema(schema, text)).as("%s under %s", text, schema).isFalse();
        }
    }

    @Test
    void anyJson() {
        writes("true", List.of("{}", "[]", "\"\"", "-0.5e+10", "{\"a\": [1, {\"b\": null}], \"c\": true}", "[\n    1,\n    \"\\u4e2d\\n\"\n]", "{\"诗\":\"床前明月光\"}"),
                List.of("", "{a:1}", "01", "+1", "'x'", "[1,]", "{\"a\":}", "\"\n\"", "\"\\x\"", "nul", "1 2", "\"\\uD83D\""));
        writes("{\"type\": \"object\"}", List.of("{}", "{\"x\":1}"), List.of("[]", "1"));
        writes("{\"type\": \"array\"}", List.of("[]", "[1, \"x\"]"), List.of("{}"));
    }

    @Test
    void properties() {
        String schema = "{\"properties\": {\"a\": {\"type\": \"integer\"}, \"b\": {\"type\": \"integer\"}, \"c\": {\"type\": \"integer\"}}, \"required\": [\"b\"]}";
        writes(schema, List.of("{\"b\":1}", "{\"a\":1, \"b\":2}", "{\"b\":1,\n  \"c\":2}", "{ \"a\":1,\"b\":2,\"c\":3 }"),
                List.of("{}", "{\"a\":1}", "{\"b\":1,\"a\":2}", "{\"b\":1,\"d\":2}", "{,\"b\":1}", "{\"b\":1,}", "7"));
        writes("{\"properties\": {\"a\": true}, \"additionalProperties\": {\"type\": \"integer\"}}", List.of("{}", "{\"a\":\"x\"}", "{\"b\":1}", "{\"a\":[],\"ab\":1,\"\":2}"),
                List.of("{\"b\":\"x\"}", "{\"b\":1,\"a\":1}"));
        writes("{\"type\": \"object\", \"additionalProperties\": false}", List.of("{}"), List.of("{\"a\":1}"));
        writes("{\"type\": \"object\", \"required\": [\"x\"]}", List.of("{\"x\": [null]}"), List.of("{}"));
        writes("{\"type\": \"object\", \"properties\": {\"a\": true, \"b\": false}}", List.of("{}", "{\"a\":1}"), List.of("{\"b\":1}"));
    }

    /** What Pydantic and zod write beside what they mean. */
    @Test
    void keywordsThatSayNothing() {
        String union = """
                {"oneOf": [{"type": "object", "properties": {"k": {"const": "a"}}, "required": ["k"]}, {"type": "object", "properties": {"k": {"const": "b"}}, "required": ["k"]}],
                 "discriminator": {"propertyName": "k", "mapping": {"a": "#/oneOf/0", "b": "#/oneOf/1"}}}""";
        writes(union, List.of("{\"k\":\"a\"}", "{\"k\":\"b\"}"), List.of("{\"k\":\"c\"}"));
        for (String names : List.of("true", "{}", "{\"type\": \"string\"}", "{\"type\": [\"string\", \"null\"], \"title\": \"key\"}")) {
            writes("{\"type\": \"object\", \"propertyNames\": %s, \"additionalProperties\": {\"type\": \"integer\"}}".formatted(names),
                    List.of("{}", "{\"x\":1}"), List.of("{\"x\":null}"));
        }
        for (String names : List.of("false", "{\"type\": \"null\"}", "{\"maxLength\": 3}", "{\"enum\": [\"a\"]}", "{\"$ref\": \"#/x\"}")) {
            assertThatThrownBy(() -> Grammar.jsonSchema("{\"type\": \"object\", \"propertyNames\": %s}".formatted(names)))
                    .isInstanceOf(GrammarException.class).hasMessageContaining("'propertyNames': not supported where it says more");
        }
    }

    @Test
    void formats() {
        writes("{\"type\": \"string\", \"format\": \"date\"}", List.of("\"0001-01-01\"", "\"0400-02-29\"", "\"2000-02-29\"", "\"0010-12-31\"", "\"1004-02-29\""),
                List.of("\"0000-01-01\"", "\"0000-02-29\"", "\"0100-02-29\"", "\"1900-02-29\"", "\"2023-02-29\""));
        writes("{\"type\": \"string\", \"format\": \"time\"}", List.of("\"12:00:00Z\"", "\"23:59:59.5+00:00\"", "\"00:00:00-00:01\"", "\"00:00:00-10:00\""),
                List.of("\"12:00:00\"", "\"24:00:00Z\"", "\"12:00:00-00:00\"", "\"23:59:60Z\""));
        writes("{\"type\": \"string\", \"format\": \"email\"}", List.of("\"a.b+c@mail.example.com\"", "\"x@y.org\""),
                List.of("\"a\"", "\"a@b\"", "\".a@b.com\"", "\"a..b@c.de\"", "\"a@-b.com\"", "\"a@b.c\""));
        writes("{\"type\": \"string\", \"format\": \"uri\"}", List.of("\"https://example.com\"", "\"http://a.b.example.com:8080/x/y.html?q=1&r=2#top\"", "\"https://example.com/\""),
                List.of("\"example.com\"", "\"https://\"", "\"https://example.com:0\"", "\"https://example.com/ x\"", "\"https://诗.com\""));
        writes("{\"type\": \"string\", \"format\": \"duration\"}", List.of("\"P1D\"", "\"PT36H\"", "\"P1Y2M3DT4H5M6S\"", "\"P4W\"", "\"PT5M\""),
                List.of("\"P\"", "\"PT\"", "\"P1DT\"", "\"P1H\"", "\"P1Y1D\"", "\"PT1H1S\"", "\"1D\""));
    }

    @Test
    void patternsWithLengths() {
        writes("{\"type\": \"string\", \"pattern\": \"^[a-z]+$\", \"minLength\": 2, \"maxLength\": 4}", List.of("\"ab\"", "\"abcd\""), List.of("\"\"", "\"a\"", "\"abcde\"", "\"A1\""));
        writes("{\"type\": \"string\", \"pattern\": \"^(?:ab|[诗词]{3})c?$\", \"minLength\": 2, \"maxLength\": 4}", List.of("\"ab\"", "\"诗词诗c\""), List.of("\"a\"", "\"诗词\""));
        writes("{\"type\": \"string\", \"pattern\": \"[0-9]\", \"minLength\": 1}", List.of("\"1\"", "\"a1\""), List.of("\"\"", "\"a\""));
        writes("{\"type\": \"string\", \"format\": \"uri\", \"minLength\": 1, \"maxLength\": 2083}", List.of("\"https://example.com/\""), List.of("\"\""));
        for (String beyond : List.of("\"pattern\": \"^(?:ab)+$\", \"maxLength\": 4", "\"pattern\": \"^a*b$\", \"minLength\": 2", "\"format\": \"date\", \"maxLength\": 9")) {
            assertThatThrownBy(() -> Grammar.jsonSchema("{\"type\": \"string\", %s}".formatted(beyond)))
                    .isInstanceOf(GrammarException.class).hasMessageContaining("that it does not keep by itself");
        }
        assertThatThrownBy(() -> Grammar.jsonSchema("{\"type\": \"string\", \"pattern\": \"^[a-z]{5}$\", \"maxLength\": 4}"))
                .isInstanceOf(GrammarException.class).hasMessageContaining("demands what cannot be");
    }

    @Test
    void bounds() {
        writes("{\"type\": \"integer\", \"minimum\": -3, \"maximum\": 105}", List.of("-3", "-1", "0", "9", "10", "99", "100", "105"), List.of("-4", "-0", "106", "1000", "007", "1.0"));
        writes("{\"type\": \"integer\", \"exclusiveMinimum\": 8.5, \"exclusiveMaximum\": 11}", List.of("9", "10"), List.of("8", "11"));
        writes("{\"type\": \"integer\", \"minimum\": 1234}", List.of("1234", "1240", "9999", "10000", "123456789"), List.of("1233", "999", "-1234"));
        writes("{\"type\": \"number\", \"minimum\": 0.25, \"exclusiveMaximum\": 2}", List.of("0.25", "0.251", "0.3", "0.9", "1", "1.999"), List.of("0.2", "0.24999", "2", "2.0", "0", "-1"));
        writes("{\"type\": \"number\", \"exclusiveMinimum\": -1, \"maximum\": 0.5}", List.of("-0.999", "-0.5", "0", "0.0", "0.49", "0.5"), List.of("-1", "-1.0", "0.51", "-0", "1"));
        writes("{\"type\": \"number\", \"minimum\": 1.5, \"maximum\": 1.75}", List.of("1.5", "1.50", "1.6", "1.75"), List.of("1", "1.4", "1.76", "1.751", "2"));
        writes("{\"type\": \"number\", \"minimum\": 5, \"maximum\": 4}".replace("5", "4"), List.of("4"), List.of("4.1", "3.9"));
    }

    @ParameterizedTest
    @CsvSource(delimiterString = " => ", quoteCharacter = '`', value = {
        "`{` => the JSON schema is no JSON: line 1",
        "`{\"type\": \"string\"} x` => is no JSON",
        "`{\"type\": \"string\", \"type\": \"number\"}` => is no JSON",
        "`[]` => #: expected a schema",
        "`{\"type\": \"strin\"}` => #: 'type': 'strin' is no type",
        "`{\"properties\": {\"a\": {\"not\": {}}}}` => #/properties/a: 'not': this keyword is not supported",
        "`{\"patternProperties\": {}}` => 'patternProperties': this keyword is not supported",
        "`{\"type\": \"array\", \"uniqueItems\": true}` => 'uniqueItems': not supported",
        "`{\"type\": \"array\", \"items\": [{}]}` => 'items': a list of schemas is called prefixItems",
        "`{\"type\": \"integer\", \"multipleOf\": 5}` => 'multipleOf': not supported",
        "`{\"type\": \"string\", \"format\": \"ipv6\"}` => 'format': 'ipv6' is not supported",
        "`{\"type\": \"string\", \"pattern\": \"a(?=b)\"}` => 'pattern': the pattern, line 1, column 4",
        "`{\"type\": \"string\", \"pattern\": \"a\", \"maxLength\": 3}` => 'pattern': not supported together with a minLength or maxLength that it does not keep",
        "`{\"type\": \"string\", \"minLength\": -1}` => 'minLength': expected a whole number",
        "`{\"type\": \"string\", \"maxLength\": 99999999}` => 'maxLength': 99999999 is more than the 1,000,000",
        "`{\"type\": \"string\", \"enum\": [\"a\"], \"minLength\": 1}` => 'minLength': not supported for values that enum or const lists",
        "`{\"enum\": []}` => 'enum': expected a list of values",
        "`{\"$ref\": \"http://example.com/x\"}` => '$ref': 'http://example.com/x' is not within the schema",
        "`{\"$ref\": \"#/$defs/x\"}` => '$ref': '#/$defs/x' is not in the schema",
        "`{\"$ref\": \"#\"}` => #: it refers to itself",
        "`{\"$defs\": {\"a\": {\"anyOf\": [{\"$ref\": \"#/$defs/a\"}, {\"type\": \"null\"}]}}, \"$ref\": \"#/$defs/a\"}` => begins with itself",
        "`{\"oneOf\": [{\"type\": \"integer\"}, {\"type\": \"number\"}]}` => #: 'oneOf': a value might follow both 0 and 1",
        "`{\"oneOf\": [{\"properties\": {\"a\": {}}}, {\"properties\": {\"b\": {}}}]}` => 'oneOf'",
        "`{\"exclusiveMinimum\": true, \"type\": \"integer\"}` => 'exclusiveMinimum': expected a number",
        "`{\"type\": \"integer\", \"minimum\": 1e999999}` => 'minimum': a number of more than 300 digits",
        "`{\"type\": \"integer\", \"minimum\": 5, \"maximum\": 4}` => never comes to an end",
        "`{\"type\": \"object\", \"minProperties\": 1}` => 'minProperties': not supported",
        "`false` => never comes to an end",
        "`{\"type\": \"object\", \"properties\": {\"a\": false}, \"required\": [\"a\"]}` => never comes to an end"
    })
    void whatCannotBeFollowedIsSaid(String schema, String problem) {
        assertThatThrownBy(() -> Grammar.jsonSchema(schema)).isInstanceOf(GrammarException.class).hasMessageContaining(problem);
    }
}
