package dev.yangtuo.checkpoint;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * Parsers for the JSON of checkpoints: duplicate keys are refused, nesting and numbers are bounded; the length of the document is
 * the caller's to bound, so that headers of hundreds of thousands of tensors pass. Names are neither interned nor kept in a shared table:
 * there are many and each is used once.
 */
final class StrictJson {
    private static final int MAX_DEPTH = 32;
    private static final int MAX_NUMBER_CHARACTERS = 100;
    private static final int MAX_NAME_CHARACTERS = 10_000;

    private static final JsonFactory FACTORY = JsonFactory.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .disable(StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION)
            .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
            .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxNestingDepth(MAX_DEPTH)
                    .maxNumberLength(MAX_NUMBER_CHARACTERS)
                    .maxNameLength(MAX_NAME_CHARACTERS)
                    .build())
            .build();

    private StrictJson() {}

    /** A parser that stands before the first token. */
    static JsonParser parser(byte[] utf8) throws IOException {
        return FACTORY.createParser(utf8);
    }

    /** Throws with the parser's position unless the current token is the one expected. */
    static void expect(JsonParser json, JsonToken expected, String what) throws IOException {
        if (json.currentToken() != expected) {
            throw new UnexpectedJson("%s: expected %s, found %s".formatted(what, describe(expected), describe(json.currentToken())),
                    json.currentTokenLocation().getByteOffset());
        }
    }

    private static String describe(@Nullable JsonToken token) {
        return switch (token) {
            case null -> "the end of the text";
            case START_OBJECT -> "an object";
            case START_ARRAY -> "an array";
            case VALUE_STRING -> "a string";
            case VALUE_NUMBER_INT -> "a whole number";
            case VALUE_NUMBER_FLOAT -> "a number with a fraction or an exponent";
            case VALUE_TRUE, VALUE_FALSE -> "true or false";
            case VALUE_NULL -> "null";
            case END_ARRAY -> "the end of the array";
            case END_OBJECT -> "the end of the object";
            case FIELD_NAME -> "a key";
            case NOT_AVAILABLE, VALUE_EMBEDDED_OBJECT -> "something else";
        };
    }

    /** Well-formed JSON that says something else than expected. */
    static final class UnexpectedJson extends IOException {
        private static final long serialVersionUID = 1L;

        /** Position in the parsed bytes. */
        final long byteOffset;

        UnexpectedJson(String message, long byteOffset) {
            super(message);
            this.byteOffset = byteOffset;
        }
    }
}
