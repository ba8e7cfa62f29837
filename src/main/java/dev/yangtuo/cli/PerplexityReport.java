package dev.yangtuo.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.yangtuo.Perplexity;
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

    /** The same as JSON. Keys are not renamed or removed. */
    static ObjectNode json(Perplexity result, double seconds) {
        ObjectNode object = JsonResult.object();
        object.set("perplexity", JsonResult.number(result.value()));
        object.set("standard_error", JsonResult.number(result.standardError()));
        object.put("method", result.method().label()).put("context", result.context()).put("windows", result.windows());
        object.put("tokens", result.tokens()).put("text_tokens", result.textTokens());
        object.put("text_characters", result.textCharacters()).put("text_bytes", result.textBytes());
        object.set("nats_per_token", JsonResult.number(result.natsPerToken()));
        object.set("bits_per_token", JsonResult.number(result.bitsPerToken()));
        object.set("nats_per_character", JsonResult.number(result.natsPerCharacter()));
        object.set("bits_per_character", JsonResult.number(result.bitsPerCharacter()));
        object.set("nats_per_byte", JsonResult.number(result.natsPerByte()));
        object.set("bits_per_byte", JsonResult.number(result.bitsPerByte()));
        object.set("seconds", JsonResult.number(seconds));
        return object;
    }
}
