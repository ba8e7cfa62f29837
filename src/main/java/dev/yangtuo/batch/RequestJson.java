package dev.yangtuo.batch;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.yangtuo.chat.ChatMessage;
import dev.yangtuo.tokenizer.Utf8;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Reads JSON that strangers wrote: no key twice, nothing behind the value, bounded nesting; and says of each value what it is where another was expected. */
final class RequestJson {
    private static final int MAX_DEPTH = 64;
    private static final int MAX_ELEMENTS = 10_000;
    /** What Jackson's messages say to who programs with it. */
    private static final Pattern ADVICE = Pattern.compile(", from `[^`]*`| \\(bound as `[^`]*`\\)|: (enable|not allowed as per) .*");

    private static final ObjectMapper MAPPER = JsonMapper.builder(JsonFactory.builder()
                    .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                    .disable(StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION)
                    .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
                    .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
                    // A line is in memory already, and of bounded length; a text in it may be as long.
                    .streamReadConstraints(StreamReadConstraints.builder().maxNestingDepth(MAX_DEPTH).maxStringLength(Integer.MAX_VALUE).build())
                    .build())
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    private RequestJson() {}

    /** The object that a line is. */
    static ObjectNode object(byte[] utf8) throws RequestProblem {
        if (!Utf8.isValid(utf8, 0, utf8.length)) {
            throw new RequestProblem(BatchError.INVALID_JSON, "is not UTF-8");
        }
        JsonNode value;
        try {
            value = MAPPER.readTree(utf8);
        } catch (JacksonException e) {
            String place = e.getLocation() == null ? "" : ", column " + e.getLocation().getColumnNr();
            String problem = ADVICE.matcher(e.getOriginalMessage().lines().findFirst().orElse("")).replaceAll("");
            throw new RequestProblem(BatchError.INVALID_JSON, "is not valid JSON%s: %s".formatted(place, problem));
        } catch (IOException e) {
            throw new UncheckedIOException(e); // memory has none
        }
        if (value instanceof ObjectNode object) {
            return object;
        }
        throw new RequestProblem(BatchError.INVALID_JSON, "is %s; expected an object".formatted(describe(value)));
    }

    /** The value of a field, or null if it is not there or JSON's null. */
    static @Nullable JsonNode get(JsonNode object, String name) {
        JsonNode value = object.get(name);
        return value == null || value.isNull() ? null : value;
    }

    static String text(String name, JsonNode value) throws RequestProblem {
        if (!value.isTextual()) {
            throw wrongType(name, "a string", value);
        }
        return value.textValue();
    }

    static boolean bool(String name, JsonNode value) throws RequestProblem {
        if (!value.isBoolean()) {
            throw wrongType(name, "true or false", value);
        }
        return value.booleanValue();
    }

    static int integer(String name, JsonNode value) throws RequestProblem {
        if (!value.isIntegralNumber() || !value.canConvertToInt()) {
            throw wrongType(name, "a whole number" + (value.isIntegralNumber() ? " of 32 bits" : ""), value);
        }
        return value.intValue();
    }

    static long longInteger(String name, JsonNode value) throws RequestProblem {
        if (!value.isIntegralNumber() || !value.canConvertToLong()) {
            throw wrongType(name, "a whole number" + (value.isIntegralNumber() ? " of 64 bits" : ""), value);
        }
        return value.longValue();
    }

    static float number(String name, JsonNode value) throws RequestProblem {
        if (!value.isNumber()) {
            throw wrongType(name, "a number", value);
        }
        return value.floatValue();
    }

    /** Options are made of elements one by one, which takes the time of their square. */
    static void requireFew(String name, JsonNode value) throws RequestProblem {
        if (value.size() > MAX_ELEMENTS) {
            throw RequestProblem.invalid("%s has %,d elements; at most %,d are possible", name, value.size(), MAX_ELEMENTS);
        }
    }

    /** A string, or an array of them. */
    static List<String> texts(String name, JsonNode value) throws RequestProblem {
        if (!value.isArray()) {
            return List.of(text(name, value));
        }
        requireFew(name, value);
        List<String> texts = new ArrayList<>();
        for (JsonNode each : value) {
            texts.add(text("an element of " + name, each));
        }
        return texts;
    }

    /** The id that a line gives, or null. */
    static @Nullable RecordId id(String name, JsonNode object) throws RequestProblem {
        JsonNode value = get(object, name);
        if (value == null) {
            return null;
        }
        if (value.isIntegralNumber()) {
            RecordId id = RecordId.of(value.asText());
            return new RecordId(id.text(), true, true);
        }
        if (value.isTextual()) {
            return RecordId.of(value.textValue());
        }
        throw wrongType(name, "a string or a whole number", value);
    }

    /** A prompt: a string, or an array of token ids. */
    static BatchPrompt prompt(String name, JsonNode value) throws RequestProblem {
        if (value.isTextual()) {
            return new BatchPrompt.Text(value.textValue());
        }
        if (!value.isArray() || value.isEmpty() || !value.get(0).isIntegralNumber()) {
            throw wrongType(name, "a string or an array of token ids", value);
        }
        List<Integer> ids = new ArrayList<>();
        for (JsonNode each : value) {
            ids.add(integer("an element of " + name, each));
        }
        return new BatchPrompt.Tokens(ids);
    }

    /** Messages: an array of objects with a role, and a content that is a string or an array of parts of text. */
    static BatchPrompt messages(String name, JsonNode value) throws RequestProblem {
        if (!value.isArray() || value.isEmpty()) {
            throw wrongType(name, "an array of messages", value);
        }
        List<ChatMessage> messages = new ArrayList<>();
        for (JsonNode message : value) {
            String place = "%s[%d]".formatted(name, messages.size());
            if (!message.isObject()) {
                throw wrongType(place, "an object with role and content", message);
            }
            for (String field : (Iterable<String>) message::fieldNames) {
                if (!field.equals("role") && !field.equals("content") && !field.equals("name") && get(message, field) != null) {
                    throw RequestProblem.invalid("%s.%s is not supported; messages have a role and a content", place, RequestProblem.quoted(field));
                }
            }
            String role = text(place + ".role", required(place, message, "role"));
            if (role.isEmpty()) {
                throw RequestProblem.invalid("%s.role is empty", place);
            }
            messages.add(new ChatMessage(role, content(place, required(place, message, "content"))));
        }
        return new BatchPrompt.Chat(messages);
    }

    private static String content(String place, JsonNode value) throws RequestProblem {
        if (!value.isArray()) {
            return text(place + ".content", value);
        }
        StringBuilder all = new StringBuilder();
        for (JsonNode part : value) {
            if (!part.path("type").asText().equals("text")) {
                throw RequestProblem.invalid("%s.content has a part of type %s; only text is supported", place, RequestProblem.quoted(part.path("type").asText()));
            }
            all.append(text(place + ".content.text", required(place + ".content", part, "text")));
        }
        return all.toString();
    }

    static JsonNode required(String place, JsonNode object, String name) throws RequestProblem {
        JsonNode value = get(object, name);
        if (value == null) {
            throw RequestProblem.invalid("%s has no %s", place, name);
        }
        return value;
    }

    static RequestProblem wrongType(String name, String expected, JsonNode value) {
        return RequestProblem.invalid("%s is %s; expected %s", name, describe(value), expected);
    }

    /** What a value is, and which one if that is short. */
    static String describe(JsonNode value) {
        return switch (value.getNodeType()) {
            case STRING -> "the string " + RequestProblem.quoted(value.textValue());
            case NUMBER -> value.asText().length() > 40 ? "a number of %d characters".formatted(value.asText().length()) : value.asText();
            case BOOLEAN -> value.asText();
            case ARRAY -> value.isEmpty() ? "an empty array" : "an array";
            case OBJECT -> "an object";
            case NULL -> "null";
            case MISSING, BINARY, POJO -> "nothing";
        };
    }
}
