package dev.yangtuo.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.yangtuo.Perplexity;
import java.io.IOException;
import java.util.List;
import java.util.Locale;

/** A measured perplexity, for people and for programs. */
final class PerplexityReport {
    private PerplexityReport() {}

    /** Some lines. */
    static String text(Perplexity result, double seconds) {
        return String.join("\n", List.of(
                format("perplexity %.4f +/- %.4f (method %s, context %d)",
                        result.value(), result.standardError(), result.method().label(), result.context()),
                format("scored     %,d tokens in %,d windows", result.tokens(), result.windows()),
                format("text       %,d tokens, %,d characters, %,d bytes", result.textTokens(), result.textCharacters(), result.textBytes()),
                format("nats       %.5f a token, %.5f a character, %.5f a byte", result.natsPerToken(), result.natsPerCharacter(), result.natsPerByte()),
                format("bits       %.5f a token, %.5f a character, %.5f a byte", result.bitsPerToken(), result.bitsPerCharacter(), result.bitsPerByte()),
                format("time       %.1f s, %.0f tokens of the text a second\n", seconds, result.textTokens() / seconds)));
    }

    private static String format(String format, Object... values) {
        return String.format(Locale.ROOT, format, values);
    }

    /** One JSON object and a line feed. Keys are not renamed or removed. */
    static String json(Perplexity result, double seconds) throws IOException {
        ObjectMapper mapper = new ObjectMapper();
        ObjectNode object = mapper.createObjectNode();
        put(object, "perplexity", result.value());
        put(object, "standard_error", result.standardError());
        object.put("method", result.method().label()).put("context", result.context()).put("windows", result.windows());
        object.put("tokens", result.tokens()).put("text_tokens", result.textTokens());
        object.put("text_characters", result.textCharacters()).put("text_bytes", result.textBytes());
        put(object, "nats_per_token", result.natsPerToken());
        put(object, "bits_per_token", result.bitsPerToken());
        put(object, "nats_per_character", result.natsPerCharacter());
        put(object, "bits_per_character", result.bitsPerCharacter());
        put(object, "nats_per_byte", result.natsPerByte());
        put(object, "bits_per_byte", result.bitsPerByte());
        put(object, "seconds", seconds);
        return mapper.writeValueAsString(object) + "\n";
    }

    /** JSON has no number for what a damaged model computes, nor for the standard error of a single token. */
    private static void put(ObjectNode object, String key, double value) {
        if (Double.isFinite(value)) {
            object.put(key, value);
        } else {
            object.putNull(key);
        }
    }
}
