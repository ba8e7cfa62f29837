package dev.yangtuo.batch;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.yangtuo.exception.GrammarException;
import dev.yangtuo.grammar.Grammar;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The fields of a line that say what its text must look like. Grammars that many lines have are built once. Used by one thread. */
final class GrammarFields {
    static final Set<String> NAMES = Set.of("grammar", "json_schema", "regex", "response_format");

    /** What a grammar knows of a vocabulary takes memory. */
    private static final int KEPT = 16;
    private static final String ANY_OBJECT = "{\"type\": \"object\", \"additionalProperties\": true}";

    /** By field and text; the one that was used last is at the end. */
    private final Map<Key, Grammar> kept = new LinkedHashMap<>(KEPT, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Key, Grammar> eldest) {
            return size() > KEPT;
        }
    };

    /** @param field what kind of grammar the text is */
    private record Key(String field, String text) {}

    /**
     * The grammar of an object, or null if it has none.
     *
     * @throws RequestProblem if it has several, or one that is not understood
     */
    @Nullable Grammar read(ObjectNode object) throws RequestProblem {
        List<Grammar> found = new ArrayList<>();
        JsonNode gbnf = RequestJson.get(object, "grammar");
        if (gbnf != null) {
            found.add(grammar("grammar", RequestJson.text("grammar", gbnf), Grammar::gbnf));
        }
        JsonNode regex = RequestJson.get(object, "regex");
        if (regex != null) {
            found.add(grammar("regex", RequestJson.text("regex", regex), Grammar::regex));
        }
        JsonNode schema = RequestJson.get(object, "json_schema");
        if (schema != null) {
            found.add(schema("json_schema", schema));
        }
        JsonNode format = RequestJson.get(object, "response_format");
        Grammar ofFormat = format == null ? null : responseFormat(format);
        if (ofFormat != null) {
            found.add(ofFormat);
        }
        if (found.size() > 1) {
            throw RequestProblem.invalid("has several of grammar, json_schema, regex and response_format; a text can follow one");
        }
        return found.isEmpty() ? null : found.getFirst();
    }

    /** OpenAI's way to say it. */
    private @Nullable Grammar responseFormat(JsonNode format) throws RequestProblem {
        String type = RequestJson.text("response_format.type", RequestJson.required("response_format", format, "type"));
        return switch (type) {
            case "text" -> null;
            case "json_object" -> grammar("json_schema", ANY_OBJECT, Grammar::jsonSchema);
            case "json_schema" -> schema("response_format.json_schema.schema",
                    RequestJson.required("response_format.json_schema", RequestJson.required("response_format", format, "json_schema"), "schema"));
            default -> throw RequestProblem.invalid("response_format is of type %s; expected 'text', 'json_object' or 'json_schema'", RequestProblem.quoted(type));
        };
    }

    private Grammar schema(String name, JsonNode schema) throws RequestProblem {
        if (!schema.isObject()) {
            throw RequestJson.wrongType(name, "an object, the schema", schema);
        }
        return grammar("json_schema", schema.toString(), Grammar::jsonSchema);
    }

    private Grammar grammar(String field, String text, Function<String, Grammar> build) throws RequestProblem {
        Key key = new Key(field, text);
        Grammar known = kept.get(key);
        if (known == null) {
            try {
                known = build.apply(text);
            } catch (GrammarException e) {
                throw RequestProblem.invalid("%s: %s", field, String.valueOf(e.getMessage()));
            }
            kept.put(key, known);
        }
        return known;
    }
}
