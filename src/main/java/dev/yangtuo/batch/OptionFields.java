package dev.yangtuo.batch;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.yangtuo.GenerateOptions;
import dev.yangtuo.grammar.Grammar;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The options that a line can have, under the names that {@code generate} has for them, with underscores, and under those of OpenAI's interface. Used by one thread. */
final class OptionFields {
    private static final float DEFAULT_XTC_THRESHOLD = 0.1f;
    private static final float DEFAULT_TAU = 5f;
    private static final float DEFAULT_ETA = 0.1f;

    /** In the order in which they are applied: greedy forgets what stands before it. */
    private static final List<Field> FIELDS = List.of(
            one("greedy", (name, value) -> RequestJson.bool(name, value) ? GenerateOptions::greedy : UnaryOperator.identity()),
            one("temperature", number(GenerateOptions::temperature)),
            new Field(List.of("dynatemp_range", "dynatemp_exp"), OptionFields::dynamicTemperature),
            one("top_n_sigma", number(GenerateOptions::topNSigma)),
            one("top_k", integer((options, k) -> options.topK(k == -1 ? 0 : k))), // for OpenAI's clients -1 keeps all
            one("typical", number(GenerateOptions::typicalP)),
            one("typical_p", number(GenerateOptions::typicalP)),
            one("top_p", number(GenerateOptions::topP)),
            one("min_p", number(GenerateOptions::minP)),
            new Field(List.of("xtc_probability", "xtc_threshold"), OptionFields::xtc),
            new Field(List.of("mirostat", "mirostat_tau", "mirostat_eta"), OptionFields::mirostat),
            one("repeat_penalty", number(GenerateOptions::repeatPenalty)),
            one("repetition_penalty", number(GenerateOptions::repeatPenalty)),
            one("repeat_last_n", integer(GenerateOptions::repeatLastN)),
            one("presence_penalty", number(GenerateOptions::presencePenalty)),
            one("frequency_penalty", number(GenerateOptions::frequencyPenalty)),
            one("dry_multiplier", number(GenerateOptions::dryMultiplier)),
            one("dry_base", number(GenerateOptions::dryBase)),
            one("dry_allowed_length", integer(GenerateOptions::dryAllowedLength)),
            one("dry_penalty_last_n", integer(GenerateOptions::dryLastN)),
            one("dry_sequence_breaker", texts(GenerateOptions::drySequenceBreakers)),
            one("logit_bias", OptionFields::logitBias),
            one("ban", tokens(GenerateOptions::ban, GenerateOptions::ban)),
            one("require", tokens(GenerateOptions::require, GenerateOptions::require)),
            one("min_tokens", integer(GenerateOptions::minTokens)),
            one("max_tokens", integer(GenerateOptions::maxTokens)),
            one("max_completion_tokens", integer(GenerateOptions::maxTokens)),
            one("seed", (name, value) -> {
                long seed = RequestJson.longInteger(name, value);
                return options -> options.seed(seed);
            }),
            one("stop", texts((options, stops) -> {
                GenerateOptions result = options;
                for (String stop : stops) {
                    result = result.stop(stop);
                }
                return result;
            })),
            new Field(List.of("logprobs", "top_logprobs"), OptionFields::logProbabilities),
            one("priority", integer(GenerateOptions::priority)),
            one("prompt_lookup", integer(GenerateOptions::promptLookup)),
            one("n", OptionFields::requireOne),
            one("best_of", OptionFields::requireOne),
            one("stream", OptionFields::requireFalse));

    private static final Set<String> NAMES = Stream.concat(FIELDS.stream().flatMap(field -> field.names().stream()), GrammarFields.NAMES.stream().sorted())
            .collect(Collectors.toCollection(LinkedHashSet::new));

    /** Fields of OpenAI's requests that say nothing about the text. */
    private static final Set<String> WITHOUT_MEANING = Set.of("user", "metadata", "store", "service_tier", "safety_identifier", "prompt_cache_key", "stream_options");

    private final GrammarFields grammars = new GrammarFields();

    /**
     * Fields that belong together.
     *
     * @param reader is asked if one of them is there
     */
    private record Field(List<String> names, Reader reader) {}

    /** Makes a change of fields. */
    private interface Reader {
        /** @param values of the names, null where there is none */
        UnaryOperator<GenerateOptions> read(List<@Nullable JsonNode> values) throws RequestProblem;
    }

    /** Makes a change of one field. */
    private interface ValueReader {
        UnaryOperator<GenerateOptions> read(String name, JsonNode value) throws RequestProblem;
    }

    /** Changes an option. */
    private interface Change<T> {
        GenerateOptions apply(GenerateOptions options, T value);
    }

    private static Field one(String name, ValueReader reader) {
        return new Field(List.of(name), values -> reader.read(name, Objects.requireNonNull(values.getFirst())));
    }

    private static ValueReader integer(Change<Integer> change) {
        return (name, value) -> {
            int number = RequestJson.integer(name, value);
            return options -> change.apply(options, number);
        };
    }

    private static ValueReader number(Change<Float> change) {
        return (name, value) -> {
            float number = RequestJson.number(name, value);
            return options -> change.apply(options, number);
        };
    }

    private static ValueReader texts(Change<List<String>> change) {
        return (name, value) -> {
            List<String> texts = RequestJson.texts(name, value);
            return options -> change.apply(options, texts);
        };
    }

    /** A token, or an array of them: a number is an id, a string the text of one token. */
    private static ValueReader tokens(Change<Integer> byId, Change<String> byText) {
        return (name, value) -> {
            RequestJson.requireFew(name, value);
            List<UnaryOperator<GenerateOptions>> changes = new ArrayList<>();
            for (JsonNode token : value.isArray() ? value : List.of(value)) {
                if (token.isTextual()) {
                    changes.add(options -> byText.apply(options, token.textValue()));
                } else {
                    int id = RequestJson.integer("a token of " + name, token);
                    changes.add(options -> byId.apply(options, id));
                }
            }
            return all(changes);
        };
    }

    /** {@code {"13": -2.5, "山": 1}}: keys of digits are ids, others texts of one token. */
    private static UnaryOperator<GenerateOptions> logitBias(String name, JsonNode value) throws RequestProblem {
        if (!value.isObject()) {
            throw RequestJson.wrongType(name, "an object of tokens and their biases", value);
        }
        RequestJson.requireFew(name, value);
        List<UnaryOperator<GenerateOptions>> changes = new ArrayList<>();
        for (Map.Entry<String, JsonNode> entry : value.properties()) {
            String token = entry.getKey();
            float bias = RequestJson.number("the bias of token " + RequestProblem.quoted(token), entry.getValue());
            if (token.matches("[0-9]{1,9}")) {
                int id = Integer.parseInt(token);
                changes.add(options -> options.logitBias(id, bias));
            } else {
                changes.add(options -> options.logitBias(token, bias));
            }
        }
        return all(changes);
    }

    private static UnaryOperator<GenerateOptions> dynamicTemperature(List<@Nullable JsonNode> values) throws RequestProblem {
        float range = RequestJson.number("dynatemp_range", whole(values.get(0), "dynatemp_exp", "dynatemp_range"));
        float exponent = numberOr("dynatemp_exp", values.get(1), 1);
        return options -> options.dynamicTemperature(range, exponent);
    }

    private static UnaryOperator<GenerateOptions> xtc(List<@Nullable JsonNode> values) throws RequestProblem {
        float probability = RequestJson.number("xtc_probability", whole(values.get(0), "xtc_threshold", "xtc_probability"));
        float threshold = numberOr("xtc_threshold", values.get(1), DEFAULT_XTC_THRESHOLD);
        return options -> options.xtc(probability, threshold);
    }

    private static UnaryOperator<GenerateOptions> mirostat(List<@Nullable JsonNode> values) throws RequestProblem {
        int version = RequestJson.integer("mirostat", whole(values.get(0), "mirostat_tau or mirostat_eta", "mirostat"));
        float tau = numberOr("mirostat_tau", values.get(1), DEFAULT_TAU);
        float eta = numberOr("mirostat_eta", values.get(2), DEFAULT_ETA);
        if (version != 0 && version != 2) {
            throw RequestProblem.invalid("mirostat is %d, must be 0 (off) or 2", version);
        }
        return version == 0 ? UnaryOperator.identity() : options -> options.mirostat(tau, eta);
    }

    private static JsonNode whole(@Nullable JsonNode value, String part, String whole) throws RequestProblem {
        if (value == null) {
            throw RequestProblem.invalid("%s needs %s", part, whole);
        }
        return value;
    }

    private static float numberOr(String name, @Nullable JsonNode value, float otherwise) throws RequestProblem {
        return value == null ? otherwise : RequestJson.number(name, value);
    }

    /** A number of tokens; or, as OpenAI's chat has it, true, and the number as {@code top_logprobs}. */
    private static UnaryOperator<GenerateOptions> logProbabilities(List<@Nullable JsonNode> values) throws RequestProblem {
        JsonNode logprobs = values.get(0);
        JsonNode top = values.get(1);
        int best = top == null ? 0 : RequestJson.integer("top_logprobs", top);
        if (logprobs == null || logprobs.isBoolean() && !logprobs.booleanValue()) {
            if (best > 0) {
                throw RequestProblem.invalid("top_logprobs needs \"logprobs\": true");
            }
            return UnaryOperator.identity();
        }
        int count = logprobs.isBoolean() ? best : RequestJson.integer("logprobs", logprobs);
        return options -> options.logProbabilities(count);
    }

    private static UnaryOperator<GenerateOptions> requireOne(String name, JsonNode value) throws RequestProblem {
        if (RequestJson.integer(name, value) != 1) {
            throw RequestProblem.invalid("%s is %s, must be 1: a request has one text", name, value.asText());
        }
        return UnaryOperator.identity();
    }

    private static UnaryOperator<GenerateOptions> requireFalse(String name, JsonNode value) throws RequestProblem {
        if (RequestJson.bool(name, value)) {
            throw RequestProblem.invalid("%s is true; a batch has whole texts only", name);
        }
        return UnaryOperator.identity();
    }

    private static UnaryOperator<GenerateOptions> all(List<UnaryOperator<GenerateOptions>> changes) {
        return options -> {
            GenerateOptions result = options;
            for (UnaryOperator<GenerateOptions> change : changes) {
                result = change.apply(result);
            }
            return result;
        };
    }

    /**
     * What the fields of an object change. Fields that are null count as not there.
     *
     * @param others names of fields that are no options
     * @throws RequestProblem if a field is not known, or has a value of another type
     */
    UnaryOperator<GenerateOptions> read(ObjectNode object, Set<String> others) throws RequestProblem {
        for (Map.Entry<String, JsonNode> field : object.properties()) {
            String name = field.getKey();
            if (!NAMES.contains(name) && !others.contains(name) && !WITHOUT_MEANING.contains(name) && !field.getValue().isNull()) {
                throw RequestProblem.invalid("%s is no option; there are %s", RequestProblem.quoted(name), String.join(", ", NAMES));
            }
        }
        List<UnaryOperator<GenerateOptions>> changes = new ArrayList<>();
        for (Field field : FIELDS) {
            if (field.names().stream().anyMatch(name -> RequestJson.get(object, name) != null)) {
                List<@Nullable JsonNode> values = new ArrayList<>();
                field.names().forEach(name -> values.add(RequestJson.get(object, name)));
                changes.add(field.reader().read(values));
            }
        }
        Grammar grammar = grammars.read(object);
        if (grammar != null) {
            changes.add(options -> options.grammar(grammar));
        }
        return all(changes);
    }
}
