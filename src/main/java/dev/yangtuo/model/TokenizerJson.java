package dev.yangtuo.model;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.yangtuo.exception.TokenizerFormatException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** One of the JSON files beside a {@code tokenizer.model}; an empty object where the file is missing. */
final class TokenizerJson {
    private static final long MAX_BYTES = 16 << 20;
    private static final int MAX_DEPTH = 64;
    /** "No limit" is written as 10^30 in these files. */
    private static final int MAX_NUMBER_CHARACTERS = 100;
    private static final int SHOWN_CHARS = 80;

    private static final ObjectMapper MAPPER = JsonMapper.builder(JsonFactory.builder()
                    .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                    .streamReadConstraints(StreamReadConstraints.builder()
                            .maxNestingDepth(MAX_DEPTH)
                            .maxNumberLength(MAX_NUMBER_CHARACTERS)
                            .build())
                    .build())
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    private final Path file;
    private final JsonNode root;

    private TokenizerJson(Path file, JsonNode root) {
        this.file = file;
        this.root = root;
    }

    /**
     * Reads a file if it exists.
     *
     * @throws TokenizerFormatException if it is no plain file, larger than 16 MiB, no JSON object, or has a key twice
     */
    static TokenizerJson read(Path file) {
        if (!Files.exists(file)) {
            return new TokenizerJson(file, MAPPER.createObjectNode());
        }
        if (!Files.isRegularFile(file)) {
            // Opening a named pipe would wait for ever.
            throw new TokenizerFormatException(file, "is not a plain file; expected a JSON configuration");
        }
        try {
            if (Files.size(file) > MAX_BYTES) {
                throw new TokenizerFormatException(file, "larger than 16 MiB, which no file of a tokenizer's configuration is");
            }
            JsonNode root = MAPPER.readTree(Files.readAllBytes(file));
            if (!root.isObject()) {
                throw new TokenizerFormatException(file, "not a JSON object");
            }
            return new TokenizerJson(file, root);
        } catch (JacksonException e) {
            throw new TokenizerFormatException(file, "not valid JSON: " + e.getOriginalMessage(), e);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + file + ": " + e.getMessage(), e);
        }
    }

    Path file() {
        return file;
    }

    JsonNode root() {
        return root;
    }

    /** The value of a key, null where it is missing or null. */
    @Nullable JsonNode value(String key) {
        JsonNode value = root.get(key);
        return value == null || value.isNull() ? null : value;
    }

    /** The truth value of a key, the fallback where it is missing or null. */
    boolean flag(String key, boolean fallback) {
        JsonNode value = value(key);
        if (value == null) {
            return fallback;
        }
        if (!value.isBoolean()) {
            throw unexpected("'%s'".formatted(key), "true or false", value);
        }
        return value.booleanValue();
    }

    /** The piece that a key such as {@code bos_token} names, by itself or as the {@code content} of an object; empty if none. */
    String pieceName(String key) {
        JsonNode value = value(key);
        return value == null ? "" : pieceName("'%s'".formatted(key), value);
    }

    String pieceName(String place, JsonNode value) {
        JsonNode content = value.isObject() ? value.get("content") : value;
        if (content == null || !content.isTextual()) {
            throw unexpected(place, "a piece or an object with its 'content'", value);
        }
        return content.textValue();
    }

    /** All pieces that some keys name, alone, in a list, or in an object under names of their own. */
    void pieceNames(Iterable<String> keys, Consumer<String> target) {
        for (String key : keys) {
            JsonNode value = value(key);
            if (value != null) {
                boolean several = value.isArray() || value.isObject() && !value.has("content");
                for (JsonNode named : several ? value : List.of(value)) {
                    target.accept(pieceName("'%s'".formatted(key), named));
                }
            }
        }
    }

    /** The whole number that an id is, empty where it is out of the range of an int or negative. */
    static OptionalInt id(JsonNode value) {
        return value.isIntegralNumber() && value.canConvertToInt() && value.intValue() >= 0
                ? OptionalInt.of(value.intValue()) : OptionalInt.empty();
    }

    TokenizerFormatException unexpected(String place, String expected, JsonNode found) {
        return new TokenizerFormatException(file, "%s is %s; expected %s".formatted(place, shown(found.toString()), expected));
    }

    /** Text of a file in a message: without control characters, of bounded length. */
    static String shown(String text) {
        StringBuilder shown = new StringBuilder();
        for (int i = 0; i < Math.min(text.length(), SHOWN_CHARS); i++) {
            char c = text.charAt(i);
            shown.append(Character.isISOControl(c) ? "\\u%04x".formatted((int) c) : String.valueOf(c));
        }
        return shown.append(text.length() > SHOWN_CHARS ? "..." : "").toString();
    }
}
