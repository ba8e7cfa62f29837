package dev.yangtuo.grammar;

import static dev.yangtuo.grammar.Expression.any;
import static dev.yangtuo.grammar.Expression.literal;
import static dev.yangtuo.grammar.Expression.optional;
import static dev.yangtuo.grammar.Expression.sequence;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.BooleanNode;
import com.fasterxml.jackson.databind.node.DecimalNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.yangtuo.exception.GrammarException;
import dev.yangtuo.grammar.Expression.Choice;
import dev.yangtuo.grammar.Expression.Repeat;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Values that follow all of some schemas, which make no choices and refer to nothing. */
final class SchemaValues {
    static final List<String> TYPES = List.of("object", "array", "string", "number", "integer", "boolean", "null");

    private final SchemaReader reader;
    private final List<SchemaPart> parts;
    private final int depth;

    SchemaValues(SchemaReader reader, List<SchemaPart> parts, int depth) {
        this.reader = reader;
        this.parts = parts;
        this.depth = depth;
    }

    Expression expression() {
        if (parts.stream().anyMatch(SchemaPart::isFalse)) {
            return new Choice(List.of());
        }
        List<JsonNode> values = enumerated();
        if (values != null) {
            return new Choice(values.stream().map(SchemaValues::constant).toList());
        }
        if (parts.isEmpty()) {
            return JsonText.VALUE;
        }
        return new Choice(typesWritten().stream().map(this::ofType).toList());
    }

    // Types

    /** The types that the schemas name; "number" stands for those that are not whole as well. */
    Set<String> types() {
        Set<String> types = new LinkedHashSet<>(TYPES);
        types.remove("integer");
        for (SchemaPart part : parts) {
            if (part.has("type")) {
                types = intersection(types, namedTypes(part));
            }
        }
        return types;
    }

    private static List<String> namedTypes(SchemaPart part) {
        List<String> named = part.strings("type");
        for (String name : named) {
            if (!TYPES.contains(name)) {
                throw part.error("type", "'%s' is no type; these are: %s".formatted(name, String.join(", ", TYPES)));
            }
        }
        return named;
    }

    private static Set<String> intersection(Set<String> a, List<String> b) {
        Set<String> both = new LinkedHashSet<>(a);
        both.retainAll(b);
        if (!both.contains("number") && (a.contains("integer") || a.contains("number")) && (b.contains("integer") || b.contains("number"))) {
            both.add("integer");
        }
        return both;
    }

    /** The types that are written: where none is named, those that the other keywords are about. */
    Set<String> typesWritten() {
        Set<String> types = types();
        if (parts.stream().anyMatch(part -> part.has("type"))) {
            return types;
        }
        Set<String> meant = new LinkedHashSet<>();
        for (String type : types) {
            if (SchemaPart.BY_TYPE.containsKey(type) && parts.stream().anyMatch(part -> part.hasAny(SchemaPart.BY_TYPE.get(type)))) {
                meant.add(type);
            }
        }
        return meant.isEmpty() ? types : meant;
    }

    /** The type of a value. */
    static String type(JsonNode value) {
        return switch (value.getNodeType()) {
            case OBJECT -> "object";
            case ARRAY -> "array";
            case STRING -> "string";
            case BOOLEAN -> "boolean";
            case NULL -> "null";
            default -> value.decimalValue().stripTrailingZeros().scale() <= 0 ? "integer" : "number";
        };
    }

    static boolean hasType(Set<String> types, JsonNode value) {
        String type = type(value);
        return types.contains(type) || type.equals("integer") && types.contains("number");
    }

    private Expression ofType(String type) {
        return switch (type) {
            case "object" -> new SchemaObject(reader, parts, depth).expression();
            case "array" -> array();
            case "string" -> string();
            case "integer" -> integer();
            case "number" -> number();
            case "boolean" -> JsonText.BOOLEAN;
            default -> JsonText.NULL;
        };
    }

    // Values that are listed

    /** The values of {@code enum} and {@code const} that have the right type; null if no schema lists any. */
    @Nullable List<JsonNode> enumerated() {
        List<JsonNode> values = null;
        for (SchemaPart part : parts) {
            for (List<JsonNode> listed : listed(part)) {
                values = values == null ? listed : common(values, listed);
            }
        }
        if (values == null) {
            return null;
        }
        Set<String> types = types();
        List<JsonNode> typed = values.stream().filter(value -> hasType(types, value)).toList();
        typed.forEach(this::refuseOtherKeywords);
        return typed;
    }

    private static List<List<JsonNode>> listed(SchemaPart part) {
        List<List<JsonNode>> lists = new ArrayList<>();
        if (part.has("const")) {
            lists.add(List.of(part.node().get("const")));
        }
        if (part.has("enum")) {
            JsonNode list = part.node().get("enum");
            if (!list.isArray() || list.isEmpty()) {
                throw part.error("enum", "expected a list of values, found " + SchemaPart.shown(list));
            }
            List<JsonNode> values = new ArrayList<>();
            list.forEach(values::add);
            lists.add(values);
        }
        return lists;
    }

    private void refuseOtherKeywords(JsonNode value) {
        Set<String> keywords = SchemaPart.BY_TYPE.get(type(value).equals("integer") ? "number" : type(value));
        for (SchemaPart part : parts) {
            for (String keyword : keywords == null ? Set.<String>of() : keywords) {
                if (part.has(keyword)) {
                    throw part.error(keyword, "not supported for values that enum or const lists; leave out the values that it excludes, and the keyword");
                }
            }
        }
    }

    /** Those of some values that are among others, too. */
    static List<JsonNode> common(List<JsonNode> values, List<JsonNode> others) {
        Set<JsonNode> among = others.stream().map(SchemaValues::canonical).collect(Collectors.toSet());
        return values.stream().filter(value -> among.contains(canonical(value))).toList();
    }

    /** The same for all values that are equal: whether numbers are is a matter of their values, not of how they are written. */
    private static JsonNode canonical(JsonNode value) {
        if (value.isNumber()) {
            return DecimalNode.valueOf(value.decimalValue().stripTrailingZeros());
        }
        if (value.isArray()) {
            ArrayNode array = JsonNodeFactory.instance.arrayNode();
            value.forEach(each -> array.add(canonical(each)));
            return array;
        }
        if (value.isObject()) {
            ObjectNode object = JsonNodeFactory.instance.objectNode();
            value.properties().forEach(each -> object.set(each.getKey(), canonical(each.getValue())));
            return object;
        }
        return value;
    }

    private static Expression constant(JsonNode value) {
        if (value.isTextual()) {
            return JsonText.string(value.textValue());
        }
        return literal(value.toString());
    }

    // Strings

    private Expression string() {
        int min = 0;
        int max = Repeat.UNBOUNDED;
        List<Expression> wholes = new ArrayList<>();
        SchemaPart whole = null;
        for (SchemaPart part : parts) {
            min = Math.max(min, part.count("minLength", 0));
            max = Math.min(max, part.count("maxLength", Repeat.UNBOUNDED));
            if (part.has("pattern")) {
                wholes.add(pattern(part));
                whole = part;
            }
            if (part.has("format")) {
                wholes.add(StringFormats.of(part));
                whole = part;
            }
        }
        if (whole == null) {
            return max < min ? new Choice(List.of()) : JsonText.string(new Repeat(JsonText.CHARACTER, min, max));
        }
        String keyword = whole.has("pattern") ? "pattern" : "format";
        if (wholes.size() > 1) {
            throw whole.error(keyword, "more than one pattern or format for a string is not supported; write one pattern");
        }
        Expression limited = Lengths.limit(wholes.getFirst(), min, max);
        if (!Lengths.of(limited).within(min, max)) {
            throw whole.error(keyword, "not supported together with a minLength or maxLength that it does not keep by itself; let the pattern say how long a string is");
        }
        return JsonText.string(JsonText.escaped(limited));
    }

    /** A pattern is looked for anywhere, unless it says that it begins or ends where the string does. */
    private static Expression pattern(SchemaPart part) {
        Expression anything = any(new Expression.Chars(CodePoints.ALL));
        List<Expression> alternatives = new ArrayList<>();
        try {
            for (RegexParser.Alternative each : RegexParser.parse("the pattern", part.strings("pattern").getFirst())) {
                List<Expression> parts = new ArrayList<>();
                if (!each.atStart()) {
                    parts.add(anything);
                }
                parts.add(each.expression());
                if (!each.atEnd()) {
                    parts.add(anything);
                }
                alternatives.add(sequence(parts.toArray(Expression[]::new)));
            }
        } catch (GrammarException e) {
            throw part.error("pattern", e.getMessage());
        }
        return Expression.choice(alternatives);
    }

    // Numbers

    NumberRange range() {
        NumberRange range = NumberRange.ALL;
        for (SchemaPart part : parts) {
            for (String keyword : List.of("exclusiveMinimum", "exclusiveMaximum")) {
                if (part.has(keyword) && part.node().get(keyword).isBoolean()) {
                    throw part.error(keyword, "expected a number, as drafts since 6 have it; found true or false");
                }
            }
            range = range.and(new NumberRange(part.numberOrNull("minimum"), false, part.numberOrNull("maximum"), false));
            range = range.and(new NumberRange(part.numberOrNull("exclusiveMinimum"), true, part.numberOrNull("exclusiveMaximum"), true));
        }
        return range;
    }

    private Expression integer() {
        for (SchemaPart part : parts) {
            if (part.has("multipleOf") && BigDecimal.ONE.compareTo(part.numberOrNull("multipleOf")) != 0) {
                throw part.error("multipleOf", "not supported; list the values with enum");
            }
        }
        NumberRange range = range();
        return range.isAll() ? JsonText.INTEGER : range.integers();
    }

    private Expression number() {
        for (SchemaPart part : parts) {
            if (part.has("multipleOf")) {
                throw part.error("multipleOf", "not supported; use the type integer, or list the values with enum");
            }
        }
        NumberRange range = range();
        return range.isAll() ? JsonText.NUMBER : range.decimals();
    }

    // Arrays

    private Expression array() {
        int min = 0;
        int max = Repeat.UNBOUNDED;
        int prefix = 0;
        boolean itemsKnown = false;
        for (SchemaPart part : parts) {
            if (part.has("uniqueItems") && !part.node().get("uniqueItems").equals(BooleanNode.FALSE)) {
                throw part.error("uniqueItems", "not supported: what came before would have to be remembered");
            }
            if (part.has("items") && part.node().get("items").isArray()) {
                throw part.error("items", "a list of schemas is called prefixItems since draft 2020-12");
            }
            min = Math.max(min, part.count("minItems", 0));
            max = Math.min(max, part.count("maxItems", Repeat.UNBOUNDED));
            prefix = Math.max(prefix, part.has("prefixItems") ? part.children("prefixItems").size() : 0);
            itemsKnown |= part.has("items");
        }
        if (prefix > 0 && !itemsKnown) {
            max = Math.min(max, Math.max(prefix, min));
        }
        return array(Math.min(prefix, max), min, max);
    }

    private Expression array(int prefix, int min, int max) {
        if (max < min) {
            return new Choice(List.of());
        }
        Expression rest = Expression.EMPTY;
        if (max > prefix) {
            Expression item = item(prefix);
            rest = prefix == 0 ? JsonText.list(item, min, max)
                    : new Repeat(sequence(JsonText.comma(), item), Math.max(0, min - prefix), max == Repeat.UNBOUNDED ? max : max - prefix);
        }
        for (int i = prefix - 1; i >= 0; i--) {
            Expression one = sequence(i == 0 ? Expression.EMPTY : JsonText.comma(), item(i), rest);
            rest = reader.rule("item %d of %s".formatted(i, parts.getFirst().path()), i < min ? one : optional(one));
        }
        return JsonText.enclosed("[", rest, "]");
    }

    /** What all schemas say of the item at an index; any beyond the prefixes has the same as the first of them. */
    private Expression item(int index) {
        List<SchemaPart> schemas = new ArrayList<>();
        for (SchemaPart part : parts) {
            int prefix = part.has("prefixItems") ? part.children("prefixItems").size() : 0;
            if (index < prefix) {
                schemas.add(part.child("prefixItems", Integer.toString(index)));
            } else if (part.has("items")) {
                schemas.add(part.child("items"));
            }
        }
        return reader.expression(schemas, depth + 1);
    }
}
