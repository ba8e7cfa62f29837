package dev.yangtuo.grammar;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonPointer;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.yangtuo.exception.GrammarException;
import dev.yangtuo.grammar.Expression.Choice;
import dev.yangtuo.grammar.Expression.Reference;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Reads JSON schemas (draft 2020-12, and what older drafts have in common with it). What a value must follow is a list of schemas, all of them at once: references
 * and {@code allOf} add to the list, {@code anyOf} and {@code oneOf} make a choice of lists. A keyword that cannot be followed is an error; where a schema allows
 * more than one would want to write, such as properties that it does not mention, less is written. All that is written is valid.
 */
final class SchemaReader {
    private static final JsonMapper MAPPER = JsonMapper.builder(JsonFactory.builder()
                    .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                    .streamReadConstraints(StreamReadConstraints.builder().maxNestingDepth(4 * Limits.MAX_DEPTH).build())
                    .build())
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS, DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .build();

    private static final String ROOT = "root";

    /** Schemas that are looked at, counting each time that one is. */
    private static final int MAX_LOOKS = 100_000;

    private final SchemaPart document;
    private final Map<String, Expression> rules = new HashMap<>();
    private final Deque<Open> open = new ArrayDeque<>();
    private int looks;

    /** A rule that has a name and no expression yet. */
    private record Open(String rule, List<SchemaPart> parts) {}

    /**
     * What a value must follow, without references and {@code allOf}.
     *
     * @param referred whether a reference was followed
     */
    record Flat(List<SchemaPart> parts, boolean referred) {
        boolean isFalse() {
            return parts.stream().anyMatch(SchemaPart::isFalse);
        }
    }

    private SchemaReader(SchemaPart document) {
        this.document = document;
    }

    /** @throws GrammarException that names the keyword and where it stands */
    static Rules read(String schema) {
        Limits.checkSource("the JSON schema", schema);
        JsonNode document;
        try {
            document = MAPPER.readTree(schema);
        } catch (JsonProcessingException e) {
            JsonLocation at = e.getLocation();
            String place = at == null ? "" : "line %d, column %d: ".formatted(at.getLineNr(), at.getColumnNr());
            throw new GrammarException("the JSON schema is no JSON: " + place + e.getOriginalMessage(), e);
        }
        return new SchemaReader(new SchemaPart(document, "#")).read();
    }

    private Rules read() {
        JsonText.addRules(rules);
        rules.put(ROOT, expression(List.of(document), 0));
        while (!open.isEmpty()) {
            Open next = open.remove();
            rules.put(next.rule(), choices(next.parts(), 0));
        }
        return new Rules(rules, ROOT);
    }

    Map<String, Expression> rules() {
        return rules;
    }

    /**
     * Makes a part a rule of its own, so that it is built once and that what it is part of is not deep.
     *
     * @param name need not be unique
     */
    Expression rule(String name, Expression expression) {
        Limits.checkRules(rules.size() + 1);
        String unique = "%s, rule %d".formatted(name, rules.size());
        rules.put(unique, expression);
        return new Reference(unique);
    }

    /** Values that follow all of these. */
    Expression expression(List<SchemaPart> schemas, int depth) {
        Limits.checkDepth("the JSON schema", depth);
        Flat flat = flatten(schemas);
        if (!flat.referred()) {
            return choices(flat.parts(), depth);
        }
        // Schemas that refer to each other end here: the same list is the same rule.
        String rule = String.join(" and ", flat.parts().stream().map(SchemaPart::path).toList());
        if (!rules.containsKey(rule)) {
            Limits.checkRules(rules.size() + 1);
            rules.put(rule, Expression.EMPTY);
            open.add(new Open(rule, flat.parts()));
        }
        return new Reference(rule);
    }

    /** Follows references and {@code allOf}; checks the keywords of all. */
    Flat flatten(List<SchemaPart> schemas) {
        looks += schemas.size();
        if (looks > MAX_LOOKS) {
            throw new GrammarException("the JSON schema combines its parts in too many ways; use fewer allOf, anyOf and oneOf within each other");
        }
        Flattening flattening = new Flattening();
        schemas.forEach(flattening::add);
        return new Flat(List.copyOf(flattening.flat.values()), flattening.referred);
    }

    /** Collects schemas that a value must follow, each once. */
    private final class Flattening {
        private final Map<String, SchemaPart> flat = new LinkedHashMap<>();
        private final Set<String> seen = new HashSet<>();
        /** Those that led to the one that is being added. */
        private final Set<String> way = new HashSet<>();
        private boolean referred;

        void add(SchemaPart part) {
            Limits.checkDepth("the JSON schema", way.size());
            if (!way.add(part.path())) {
                throw new GrammarException("the JSON schema, %s: it refers to itself, without anything between".formatted(part.path()));
            }
            if (seen.add(part.path())) {
                part.checkKeywords();
                SchemaPart rest = part;
                if (rest.has("$ref")) {
                    referred = true;
                    add(target(part));
                    rest = rest.without("$ref");
                }
                if (rest.has("allOf")) {
                    part.children("allOf").forEach(this::add);
                    rest = rest.without("allOf");
                }
                if (rest.isFalse() || rest.saysMore()) {
                    flat.put(rest.path(), rest);
                }
            }
            way.remove(part.path());
        }
    }

    private SchemaPart target(SchemaPart part) {
        String reference = part.strings("$ref").getFirst();
        if (!reference.equals("#") && !reference.startsWith("#/")) {
            throw part.error("$ref", "'%s' is not within the schema; only # and #/... are supported".formatted(reference));
        }
        String pointer;
        JsonNode node;
        try {
            pointer = URLDecoder.decode(reference.substring(1).replace("+", "%2B"), StandardCharsets.UTF_8);
            node = document.node().at(JsonPointer.compile(pointer));
        } catch (IllegalArgumentException e) {
            throw part.error("$ref", "'%s' is no JSON pointer: %s".formatted(reference, e.getMessage()));
        }
        if (node.isMissingNode()) {
            throw part.error("$ref", "'%s' is not in the schema".formatted(reference));
        }
        return new SchemaPart(node, "#" + pointer);
    }

    /** Values that follow all of these, which have no references and no {@code allOf}. */
    private Expression choices(List<SchemaPart> parts, int depth) {
        for (SchemaPart part : parts) {
            for (String keyword : List.of("anyOf", "oneOf")) {
                if (part.has(keyword)) {
                    return choice(parts, part, keyword, depth);
                }
            }
        }
        return new SchemaValues(this, parts, depth).expression();
    }

    private Expression choice(List<SchemaPart> parts, SchemaPart part, String keyword, int depth) {
        List<List<SchemaPart>> alternatives = alternatives(parts, part, keyword);
        if (keyword.equals("oneOf")) {
            requireDisjoint(alternatives, part);
        }
        return new Choice(alternatives.stream().map(each -> expression(each, depth + 1)).toList());
    }

    /** The lists of schemas that one of the keywords makes a choice of. */
    static List<List<SchemaPart>> alternatives(List<SchemaPart> parts, SchemaPart part, String keyword) {
        List<List<SchemaPart>> alternatives = new ArrayList<>();
        for (SchemaPart alternative : part.children(keyword)) {
            List<SchemaPart> list = new ArrayList<>(parts);
            list.set(list.indexOf(part), part.without(keyword));
            list.add(alternative);
            alternatives.add(list);
        }
        return alternatives;
    }

    private void requireDisjoint(List<List<SchemaPart>> alternatives, SchemaPart part) {
        Disjointness disjointness = new Disjointness(this);
        for (int i = 0; i < alternatives.size(); i++) {
            for (int j = 0; j < i; j++) {
                if (!disjointness.holds(alternatives.get(i), alternatives.get(j))) {
                    throw part.error("oneOf", ("a value might follow both %d and %d of the alternatives (counted from 0), which must not be; "
                            + "tell them apart by their types or by a required property with a const, or use anyOf").formatted(j, i));
                }
            }
        }
    }
}
