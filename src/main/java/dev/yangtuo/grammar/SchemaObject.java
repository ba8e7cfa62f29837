package dev.yangtuo.grammar;

import static dev.yangtuo.grammar.Expression.optional;
import static dev.yangtuo.grammar.Expression.sequence;

import dev.yangtuo.grammar.Expression.Choice;
import dev.yangtuo.grammar.Expression.Reference;
import dev.yangtuo.grammar.Expression.Repeat;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** Objects that follow all of some schemas. Their properties come in the order in which the schemas name them. */
final class SchemaObject {
    /** Characters of a key that others are told from. */
    private static final int MAX_KEY = 500;

    private final SchemaReader reader;
    private final List<SchemaPart> parts;
    private final int depth;
    private final Set<String> required = new LinkedHashSet<>();
    private final Set<String> names = new LinkedHashSet<>();
    /** Whether properties come that no schema names. */
    private boolean open;

    SchemaObject(SchemaReader reader, List<SchemaPart> parts, int depth) {
        this.reader = reader;
        this.parts = parts;
        this.depth = depth;
        for (SchemaPart part : parts) {
            required.addAll(part.strings("required"));
            names.addAll(part.propertyNames());
            open |= part.has("additionalProperties");
        }
        names.addAll(required);
        for (SchemaPart part : parts) {
            open &= !part.has("additionalProperties") || !part.child("additionalProperties").isFalse();
        }
    }

    /** Whether it is said what properties there are; otherwise any object is meant. */
    private boolean isAny() {
        return names.isEmpty() && parts.stream().noneMatch(part -> part.has("additionalProperties"));
    }

    /** Names of the properties that always come. */
    Set<String> required() {
        return required;
    }

    /** Whether a property may come that has no schema. */
    boolean writesOthers() {
        return open || isAny();
    }

    /** Names of the properties that have schemas or are required. */
    Set<String> names() {
        return names;
    }

    /** What all schemas say of a property. */
    List<SchemaPart> property(String name) {
        List<SchemaPart> schemas = new ArrayList<>();
        for (SchemaPart part : parts) {
            if (part.hasProperty(name)) {
                schemas.add(part.child("properties", name));
            } else if (part.has("additionalProperties")) {
                schemas.add(part.child("additionalProperties"));
            }
        }
        return schemas;
    }

    Expression expression() {
        checkCountsAndNames();
        return isAny() ? JsonText.OBJECT : JsonText.enclosed("{", members(), "}");
    }

    /** What holds in any case is no constraint; other counts and names cannot be followed. */
    private void checkCountsAndNames() {
        for (SchemaPart part : parts) {
            if (part.count("minProperties", 0) > required.size()) {
                throw part.error("minProperties", "not supported for more properties than are required; name them in required");
            }
            if (part.count("maxProperties", Repeat.UNBOUNDED) < (writesOthers() ? Repeat.UNBOUNDED : names.size())) {
                throw part.error("maxProperties", "not supported for fewer properties than there are");
            }
            if (part.has("propertyNames") && !part.child("propertyNames").allowsStrings()) {
                throw part.error("propertyNames", "not supported where it says more than that names are strings; list the names in properties");
            }
        }
    }

    private Expression members() {
        List<String> order = List.copyOf(names);
        List<Expression> members = new ArrayList<>();
        for (String name : order) {
            members.add(rule("property " + name, JsonText.member(JsonText.string(name), reader.expression(property(name), depth + 1))));
        }
        Expression others = open ? otherMember() : new Choice(List.of());
        // What follows when there was a property before: the members from each one on, and the others.
        Expression behind = open ? new Repeat(sequence(JsonText.comma(), others), 0, Repeat.UNBOUNDED) : Expression.EMPTY;
        Expression none = open ? optional(sequence(others, behind)) : Expression.EMPTY;
        for (int i = order.size() - 1; i >= 0; i--) {
            Expression first = sequence(members.get(i), behind);
            Expression next = sequence(JsonText.comma(), members.get(i));
            boolean always = required.contains(order.get(i));
            // When there was none, it is the first one or, if it may be left out, one of those behind it.
            none = rule("first", always ? first : new Choice(List.of(first, none)));
            behind = rule("behind", sequence(always ? next : optional(next), behind));
        }
        return none;
    }

    private Expression otherMember() {
        List<SchemaPart> schemas = new ArrayList<>();
        for (SchemaPart part : parts) {
            if (part.has("additionalProperties")) {
                schemas.add(part.child("additionalProperties"));
            }
        }
        for (String name : names) {
            if (name.length() > MAX_KEY) {
                throw parts.getFirst().error("properties", "names of more than %d characters are not supported beside additionalProperties".formatted(MAX_KEY));
            }
        }
        Expression key = JsonText.otherKey(List.copyOf(names), each -> rule("other key", each));
        return rule("other property", JsonText.member(key, reader.expression(schemas, depth + 1)));
    }

    private Expression rule(String name, Expression expression) {
        return reader.rule("%s of %s".formatted(name, parts.getFirst().path()), expression);
    }
}
