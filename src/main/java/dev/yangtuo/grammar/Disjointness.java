package dev.yangtuo.grammar;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Proves that what is written for one schema is not valid under another, which {@code oneOf} demands. Where it finds no proof, it says no, even if there is one.
 */
final class Disjointness {
    private static final int MAX_DEPTH = 8;

    private final SchemaReader reader;

    Disjointness(SchemaReader reader) {
        this.reader = reader;
    }

    /** Whether no value that is written for one list of schemas is valid under the other. */
    boolean holds(List<SchemaPart> a, List<SchemaPart> b) {
        return fails(a, b, 0) && fails(b, a, 0);
    }

    /** Whether no value that is written for {@code written} is valid under {@code other}. */
    private boolean fails(List<SchemaPart> written, List<SchemaPart> other, int depth) {
        SchemaReader.Flat from = reader.flatten(written);
        SchemaReader.Flat to = reader.flatten(other);
        if (from.isFalse() || to.isFalse()) {
            return true;
        }
        if (depth > MAX_DEPTH) {
            return false;
        }
        Boolean ofChoice = failsForAll(from.parts(), to.parts(), depth);
        return ofChoice != null ? ofChoice : failsByContent(from.parts(), to.parts(), depth);
    }

    /** Of schemas that make a choice, whether all that they choose from fail; null if they make none. */
    private @Nullable Boolean failsForAll(List<SchemaPart> from, List<SchemaPart> to, int depth) {
        for (String keyword : List.of("anyOf", "oneOf")) {
            for (SchemaPart part : from) {
                if (part.has(keyword)) {
                    return SchemaReader.alternatives(from, part, keyword).stream().allMatch(each -> fails(each, to, depth + 1));
                }
            }
            for (SchemaPart part : to) {
                if (part.has(keyword)) {
                    return SchemaReader.alternatives(to, part, keyword).stream().allMatch(each -> fails(from, each, depth + 1));
                }
            }
        }
        return null;
    }

    private boolean failsByContent(List<SchemaPart> from, List<SchemaPart> to, int depth) {
        SchemaValues written = new SchemaValues(reader, from, 0);
        SchemaValues valid = new SchemaValues(reader, to, 0);
        List<JsonNode> writtenValues = written.enumerated();
        List<JsonNode> validValues = valid.enumerated();
        if (writtenValues != null) {
            return validValues != null
                    ? SchemaValues.common(writtenValues, validValues).isEmpty()
                    : writtenValues.stream().noneMatch(value -> SchemaValues.hasType(valid.types(), value));
        }
        if (validValues != null) {
            return validValues.stream().noneMatch(value -> SchemaValues.hasType(written.typesWritten(), value));
        }
        return written.typesWritten().stream().allMatch(type -> failsAs(type, written, valid, from, to, depth));
    }

    private boolean failsAs(String type, SchemaValues written, SchemaValues valid, List<SchemaPart> from, List<SchemaPart> to, int depth) {
        Set<String> types = valid.types();
        boolean number = type.equals("number") || type.equals("integer");
        if (number) {
            return !types.contains("number") && !types.contains("integer") || written.range().and(valid.range()).isEmpty();
        }
        return !types.contains(type) || type.equals("object") && failsAsObject(new SchemaObject(reader, from, 0), to, depth);
    }

    private boolean failsAsObject(SchemaObject written, List<SchemaPart> to, int depth) {
        SchemaObject valid = new SchemaObject(reader, to, 0);
        boolean lacksRequired = !written.writesOthers() && !written.names().containsAll(valid.required());
        return lacksRequired || written.required().stream().anyMatch(name -> fails(written.property(name), valid.property(name), depth + 1));
    }
}
