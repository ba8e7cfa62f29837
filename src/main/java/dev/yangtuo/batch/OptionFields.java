package dev.yangtuo.batch;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.yangtuo.GenerateOptions;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The options that a line can have, under the names that {@code generate} has for them, with underscores, and under those of OpenAI's interface. */
final class OptionFields {
    /** What a field changes. */
    private interface Field {
        UnaryOperator<GenerateOptions> read(String name, JsonNode value) throws RequestProblem;
    }

    /** In the order in which they are applied: greedy forgets what stands before it. */
    private static final Map<String, Field> FIELDS = fields();

    /** Fields of OpenAI's requests that say nothing about the text. */
    private static final Set<String> WITHOUT_MEANING = Set.of("user", "metadata", "store", "service_tier", "safety_identifier", "prompt_cache_key", "stream_options");

    private OptionFields() {}

    private static Map<String, Field> fields() {
        Map<String, Field> fields = new LinkedHashMap<>();
        fields.put("greedy", (name, value) -> RequestJson.bool(name, value) ? GenerateOptions::greedy : UnaryOperator.identity());
        fields.put("temperature", floatField(GenerateOptions::temperature));
        fields.put("top_k", intField((options, k) -> options.topK(k == -1 ? 0 : k))); // for OpenAI's clients -1 keeps all
        fields.put("top_p", floatField(GenerateOptions::topP));
        fields.put("min_p", floatField(GenerateOptions::minP));
        fields.put("repeat_penalty", floatField(GenerateOptions::repeatPenalty));
        fields.put("repetition_penalty", floatField(GenerateOptions::repeatPenalty));
        fields.put("max_tokens", intField(GenerateOptions::maxTokens));
        fields.put("max_completion_tokens", intField(GenerateOptions::maxTokens));
        fields.put("seed", (name, value) -> {
            long seed = RequestJson.longInteger(name, value);
            return options -> options.seed(seed);
        });
        fields.put("stop", (name, value) -> {
            List<String> stops = RequestJson.texts(name, value);
            return options -> {
                GenerateOptions result = options;
                for (String stop : stops) {
                    result = result.stop(stop);
                }
                return result;
            };
        });
        fields.put("priority", intField(GenerateOptions::priority));
        fields.put("prompt_lookup", intField(GenerateOptions::promptLookup));
        fields.put("n", OptionFields::one);
        fields.put("best_of", OptionFields::one);
        fields.put("stream", (name, value) -> {
            if (RequestJson.bool(name, value)) {
                throw RequestProblem.invalid("stream is true; a batch has whole texts only");
            }
            return UnaryOperator.identity();
        });
        return fields;
    }

    /** Changes an option to a whole number. */
    private interface IntChange {
        GenerateOptions apply(GenerateOptions options, int value);
    }

    /** Changes an option to a number. */
    private interface FloatChange {
        GenerateOptions apply(GenerateOptions options, float value);
    }

    private static Field intField(IntChange change) {
        return (name, value) -> {
            int number = RequestJson.integer(name, value);
            return options -> change.apply(options, number);
        };
    }

    private static Field floatField(FloatChange change) {
        return (name, value) -> {
            float number = RequestJson.number(name, value);
            return options -> change.apply(options, number);
        };
    }

    private static UnaryOperator<GenerateOptions> one(String name, JsonNode value) throws RequestProblem {
        if (RequestJson.integer(name, value) != 1) {
            throw RequestProblem.invalid("%s is %s, must be 1: a request has one text", name, value.asText());
        }
        return UnaryOperator.identity();
    }

    /**
     * What the fields of an object change. Fields that are null count as not there.
     *
     * @param others names of fields that are no options
     * @throws RequestProblem if a field is not known, or has a value of another type
     */
    static UnaryOperator<GenerateOptions> read(ObjectNode object, Set<String> others) throws RequestProblem {
        requireKnown(object, others);
        List<UnaryOperator<GenerateOptions>> changes = new ArrayList<>();
        for (Map.Entry<String, Field> field : FIELDS.entrySet()) {
            JsonNode value = RequestJson.get(object, field.getKey());
            if (value != null) {
                changes.add(field.getValue().read(field.getKey(), value));
            }
        }
        UnaryOperator<GenerateOptions> logProbabilities = logProbabilities(RequestJson.get(object, "logprobs"), RequestJson.get(object, "top_logprobs"));
        if (logProbabilities != null) {
            changes.add(logProbabilities);
        }
        return options -> {
            GenerateOptions result = options;
            for (UnaryOperator<GenerateOptions> change : changes) {
                result = change.apply(result);
            }
            return result;
        };
    }

    /** A number of tokens; or, as OpenAI's chat has it, true, and the number as {@code top_logprobs}. */
    private static @Nullable UnaryOperator<GenerateOptions> logProbabilities(@Nullable JsonNode logprobs, @Nullable JsonNode top) throws RequestProblem {
        if (logprobs == null || logprobs.isBoolean() && !logprobs.booleanValue()) {
            if (top != null && RequestJson.integer("top_logprobs", top) > 0) {
                throw RequestProblem.invalid("top_logprobs needs \"logprobs\": true");
            }
            return null;
        }
        int count = logprobs.isBoolean() ? top == null ? 0 : RequestJson.integer("top_logprobs", top) : RequestJson.integer("logprobs", logprobs);
        return options -> options.logProbabilities(count);
    }

    private static void requireKnown(ObjectNode object, Set<String> others) throws RequestProblem {
        for (Map.Entry<String, JsonNode> field : object.properties()) {
            String name = field.getKey();
            boolean known = FIELDS.containsKey(name) || others.contains(name) || WITHOUT_MEANING.contains(name) || name.equals("logprobs") || name.equals("top_logprobs");
            if (!known && !field.getValue().isNull()) {
                throw RequestProblem.invalid("%s is no option; there are %s", RequestProblem.quoted(name), names());
            }
        }
    }

    /** All names, for messages. */
    private static String names() {
        return Stream.concat(FIELDS.keySet().stream(), Stream.of("logprobs", "top_logprobs")).collect(Collectors.joining(", "));
    }
}
