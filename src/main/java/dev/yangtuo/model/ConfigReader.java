package dev.yangtuo.model;

import com.fasterxml.jackson.databind.JsonNode;
import dev.yangtuo.exception.CheckpointFormatException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Typed access to the fields of a JSON configuration; what is wrong is said with file, field and value. */
final class ConfigReader {
    private final Path file;
    private final JsonNode root;

    ConfigReader(Path file, JsonNode root) {
        this.file = file;
        this.root = root;
    }

    private boolean absent(String field) {
        return !root.hasNonNull(field);
    }

    CheckpointFormatException problem(String text) {
        return new CheckpointFormatException(file, text);
    }

    int requiredInt(String field) {
        if (absent(field)) {
            throw problem("\"%s\" is missing; this is not the configuration of a LLaMA model".formatted(field));
        }
        return intValue(field, 0);
    }

    int intValue(String field, int absentValue) {
        if (absent(field)) {
            return absentValue;
        }
        JsonNode value = root.get(field);
        boolean integral = value.isNumber() && value.doubleValue() == Math.rint(value.doubleValue());
        if (!integral || !value.canConvertToInt()) {
            throw problem("\"%s\" is %s, must be an integer".formatted(field, value));
        }
        return value.intValue();
    }

    float floatValue(String field, float absentValue) {
        if (absent(field)) {
            return absentValue;
        }
        JsonNode value = root.get(field);
        if (!value.isNumber() || !Float.isFinite(value.floatValue())) {
            throw problem("\"%s\" is %s, must be a finite number".formatted(field, value));
        }
        return value.floatValue();
    }

    boolean booleanValue(String field, boolean absentValue) {
        if (absent(field)) {
            return absentValue;
        }
        JsonNode value = root.get(field);
        if (!value.isBoolean()) {
            throw problem("\"%s\" is %s, must be true or false".formatted(field, value));
        }
        return value.booleanValue();
    }

    @Nullable String text(String field) {
        if (absent(field)) {
            return null;
        }
        JsonNode value = root.get(field);
        if (!value.isTextual()) {
            throw problem("\"%s\" is %s, must be a string".formatted(field, value));
        }
        return value.textValue();
    }

    /** The object of this name, or null. */
    @Nullable ConfigReader object(String field) {
        if (absent(field)) {
            return null;
        }
        JsonNode value = root.get(field);
        if (!value.isObject()) {
            throw problem("\"%s\" is %s, must be an object".formatted(field, value));
        }
        return new ConfigReader(file, value);
    }

    /** Token ids given as one number, a list, or not at all; -1 counts as none. */
    List<Integer> ids(String field) {
        List<Integer> ids = new ArrayList<>();
        if (absent(field)) {
            return ids;
        }
        JsonNode value = root.get(field);
        for (JsonNode id : value.isArray() ? value : List.of(value)) {
            if (!id.isInt()) {
                throw problem("\"%s\" is %s, must be a token id or a list of them".formatted(field, value));
            }
            if (id.intValue() >= 0) {
                ids.add(id.intValue());
            }
        }
        return ids;
    }

    /** The texts of a list; empty if it is not there. */
    List<String> texts(String field) {
        List<String> texts = new ArrayList<>();
        if (absent(field)) {
            return texts;
        }
        JsonNode value = root.get(field);
        for (JsonNode text : value.isArray() ? value : List.of(value)) {
            if (!value.isArray() || !text.isTextual()) {
                throw problem("\"%s\" is %s, must be a list of strings".formatted(field, value));
            }
            texts.add(text.textValue());
        }
        return texts;
    }

    boolean has(String field) {
        return !absent(field);
    }
}
