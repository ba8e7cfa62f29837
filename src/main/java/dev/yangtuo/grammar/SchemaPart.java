package dev.yangtuo.grammar;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.yangtuo.exception.GrammarException;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * One schema of those that a value must follow.
 *
 * @param node an object, {@code true} or {@code false}
 * @param path where it stands, as a JSON pointer behind a #, with the keywords that are left out
 */
record SchemaPart(JsonNode node, String path) {
    private static final Set<String> ANNOTATIONS = Set.of("title", "description", "default", "examples", "example", "deprecated", "readOnly", "writeOnly", "$comment", "$schema",
            "$id", "id", "$vocabulary", "$defs", "definitions", "contentEncoding", "contentMediaType", "contentSchema", "discriminator");

    /** Keywords for each type of value. */
    static final Map<String, Set<String>> BY_TYPE = Map.of(
            "object", Set.of("properties", "required", "additionalProperties", "propertyNames", "minProperties", "maxProperties"),
            "array", Set.of("items", "prefixItems", "minItems", "maxItems", "uniqueItems"),
            "string", Set.of("minLength", "maxLength", "pattern", "format"),
            "number", Set.of("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"));

    private static final Set<String> FOR_ALL = Set.of("type", "enum", "const", "anyOf", "oneOf", "allOf", "$ref");

    SchemaPart {
        if (!node.isObject() && !node.isBoolean()) {
            throw new GrammarException("the JSON schema, %s: expected a schema, which is an object, true or false; found %s".formatted(path, shown(node)));
        }
    }

    boolean isFalse() {
        return node.isBoolean() && !node.booleanValue();
    }

    /** @throws GrammarException if there is a keyword that is not understood */
    void checkKeywords() {
        node.fieldNames().forEachRemaining(name -> {
            boolean known = ANNOTATIONS.contains(name) || FOR_ALL.contains(name) || name.startsWith("x-")
                    || BY_TYPE.values().stream().anyMatch(keywords -> keywords.contains(name));
            if (!known) {
                throw error(name, "this keyword is not supported");
            }
        });
    }

    boolean has(String keyword) {
        return node.has(keyword);
    }

    boolean hasAny(Set<String> keywords) {
        return keywords.stream().anyMatch(node::has);
    }

    /** Whether all strings are valid, as far as one can see. */
    boolean allowsStrings() {
        boolean onlyType = !isFalse() && node.properties().stream().allMatch(keyword -> keyword.getKey().equals("type") || ANNOTATIONS.contains(keyword.getKey()));
        return onlyType && (!has("type") || strings("type").contains("string"));
    }

    /** Whether it says something beside a reference. */
    boolean saysMore() {
        return FOR_ALL.stream().anyMatch(keyword -> !keyword.equals("$ref") && has(keyword)) || BY_TYPE.values().stream().anyMatch(this::hasAny);
    }

    /** The same without a keyword. */
    SchemaPart without(String keyword) {
        ObjectNode rest = JsonNodeFactory.instance.objectNode();
        rest.setAll((ObjectNode) node);
        rest.remove(keyword);
        return new SchemaPart(rest, path + " without " + keyword);
    }

    /** A schema within this one. */
    SchemaPart child(String... way) {
        JsonNode child = node;
        StringBuilder childPath = new StringBuilder(path);
        for (String step : way) {
            child = child.isArray() ? child.get(Integer.parseInt(step)) : child.get(step);
            childPath.append('/').append(step.replace("~", "~0").replace("/", "~1"));
        }
        return new SchemaPart(child, childPath.toString());
    }

    /** The schemas of a keyword that has a list of them, which must not be empty. */
    List<SchemaPart> children(String keyword) {
        JsonNode list = node.get(keyword);
        if (!list.isArray() || list.isEmpty()) {
            throw error(keyword, "expected a list of schemas, found " + shown(list));
        }
        List<SchemaPart> children = new ArrayList<>();
        for (int i = 0; i < list.size(); i++) {
            children.add(child(keyword, Integer.toString(i)));
        }
        return children;
    }

    /** Names of the properties that have schemas. */
    List<String> propertyNames() {
        if (!has("properties")) {
            return List.of();
        }
        JsonNode properties = node.get("properties");
        if (!properties.isObject()) {
            throw error("properties", "expected an object of schemas, found " + shown(properties));
        }
        List<String> names = new ArrayList<>();
        properties.fieldNames().forEachRemaining(names::add);
        return names;
    }

    /** Whether a property has a schema. */
    boolean hasProperty(String name) {
        return node.path("properties").has(name);
    }

    /** The strings of a keyword that has one or a list of them. */
    List<String> strings(String keyword) {
        if (!has(keyword)) {
            return List.of();
        }
        List<String> strings = new ArrayList<>();
        JsonNode value = node.get(keyword);
        for (JsonNode each : value.isArray() ? value : List.of(value)) {
            if (!each.isTextual()) {
                throw error(keyword, "expected strings, found " + shown(value));
            }
            strings.add(each.textValue());
        }
        return strings;
    }

    /** A count, or a default where there is none. */
    int count(String keyword, int absent) {
        if (!has(keyword)) {
            return absent;
        }
        BigDecimal value = number(keyword);
        if (value.signum() < 0 || value.stripTrailingZeros().scale() > 0) {
            throw error(keyword, "expected a whole number that is not negative, found " + shown(node.get(keyword)));
        }
        if (value.compareTo(BigDecimal.valueOf(Limits.MAX_REPETITIONS)) > 0) {
            throw error(keyword, "%s is more than the %,d that are supported".formatted(value, Limits.MAX_REPETITIONS));
        }
        return value.intValue();
    }

    /** A number, or null where there is none. */
    @Nullable BigDecimal numberOrNull(String keyword) {
        return has(keyword) ? number(keyword) : null;
    }

    private BigDecimal number(String keyword) {
        JsonNode value = node.get(keyword);
        if (!value.isNumber()) {
            throw error(keyword, "expected a number, found " + shown(value));
        }
        BigDecimal number = value.decimalValue();
        if (Math.abs((long) number.precision() - number.scale()) > NumberRange.MAX_DIGITS || Math.abs((long) number.scale()) > NumberRange.MAX_DIGITS) {
            throw error(keyword, "a number of more than %d digits is not supported".formatted(NumberRange.MAX_DIGITS));
        }
        return number;
    }

    GrammarException error(String keyword, String problem) {
        return new GrammarException("the JSON schema, %s: '%s': %s".formatted(path, keyword, problem));
    }

    static String shown(JsonNode node) {
        String text = node.toString();
        return text.length() > 60 ? text.substring(0, text.offsetByCodePoints(0, Math.min(50, text.codePointCount(0, text.length())))) + "..." : text;
    }
}
