package dev.yangtuo.eval;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.yangtuo.exception.YangtuoException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * One of pCLUE's tasks.
 *
 * @param place where it is from, for messages: "file, line 12"
 * @param input the prompt
 * @param target what is right, as the reference reads it (see {@link #parse}); null where the file does not say
 * @param choices answers to choose from; empty for tasks that are answered freely
 * @param type null only where there is no target
 */
public record PclueItem(String place, String input, @Nullable String target, List<String> choices, @Nullable PclueType type) {
    private static final String FULL_WIDTH_COMMA = "，";
    private static final JsonMapper JSON = JsonMapper.builder().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS).build();

    /**
     * Copies the list.
     *
     * @throws IllegalArgumentException if there is a target and no type
     */
    public PclueItem {
        choices = List.copyOf(choices);
        if (target != null && type == null) {
            throw new IllegalArgumentException("there is a target, but no type, which says how it is scored");
        }
    }

    /**
     * Reads a line of a file: {@code {"input":..,"target":..,"answer_choices":[..],"type":..}}. As pCLUE's {@code evaluate_pclue.py} does it, full-width commas in the target
     * become ASCII ones (in the prediction they do not), the parts of a target that is an array are joined by full-width commas, and a line that is no JSON is read once
     * more with all its full-width commas replaced.
     *
     * @param place what messages call the line
     * @throws YangtuoException if it says something else
     */
    public static PclueItem parse(String line, String place) {
        JsonNode item = read(line, place);
        JsonNode input = item.path("input");
        if (!input.isTextual() || input.textValue().isEmpty()) {
            throw new YangtuoException("%s: there is no text 'input'; expected {\"input\":..,\"target\":..,\"answer_choices\":[..],\"type\":..}".formatted(place));
        }
        try {
            String target = target(item.path("target"), place);
            JsonNode type = item.path("type");
            return new PclueItem(place, input.textValue(), target, choices(item.path("answer_choices"), place), type.isTextual() ? PclueType.of(type.textValue()) : null);
        } catch (IllegalArgumentException e) {
            throw new YangtuoException("%s: %s".formatted(place, e.getMessage()), e);
        }
    }

    private static JsonNode read(String line, String place) {
        try {
            return JSON.readTree(line);
        } catch (JacksonException e) {
            try {
                return JSON.readTree(line.replace(FULL_WIDTH_COMMA, ","));
            } catch (JacksonException _) {
                throw new YangtuoException("%s: is no JSON object: %s".formatted(place, e.getOriginalMessage()), e);
            }
        }
    }

    private static @Nullable String target(JsonNode target, String place) {
        if (target.isMissingNode() || target.isNull()) {
            return null;
        }
        List<String> parts = target.isArray() ? texts(target, "target", place) : List.of(text(target, "target", place));
        return String.join(FULL_WIDTH_COMMA, parts.stream().map(part -> part.replace(FULL_WIDTH_COMMA, ",")).toList());
    }

    /** Tasks without choices have none, null, or an empty text. */
    private static List<String> choices(JsonNode choices, String place) {
        if (choices.isMissingNode() || choices.isNull() || choices.isTextual() && choices.textValue().isEmpty()) {
            return List.of();
        }
        if (!choices.isArray()) {
            throw new YangtuoException("%s: 'answer_choices' is no array of texts".formatted(place));
        }
        List<String> texts = texts(choices, "answer_choices", place);
        if (texts.stream().anyMatch(String::isEmpty)) {
            throw new YangtuoException("%s: one of 'answer_choices' is empty; take it out".formatted(place));
        }
        return texts;
    }

    private static List<String> texts(JsonNode array, String key, String place) {
        List<String> texts = new ArrayList<>();
        array.forEach(element -> texts.add(text(element, key, place)));
        return texts;
    }

    private static String text(JsonNode node, String key, String place) {
        if (!node.isTextual()) {
            throw new YangtuoException("%s: '%s' has a value of the kind %s where a text is expected".formatted(place, key, node.getNodeType().name().toLowerCase(Locale.ROOT)));
        }
        return node.textValue();
    }

    /**
     * Reads a line of predictions: {@code {"target":..}}.
     *
     * @param place what messages call the line
     * @throws YangtuoException if it says something else
     */
    public static String parsePrediction(String line, String place) {
        try {
            JsonNode target = JSON.readTree(line).path("target");
            if (target.isTextual()) {
                return target.textValue();
            }
        } catch (JacksonException e) {
            throw new YangtuoException("%s: is no JSON object: %s".formatted(place, e.getOriginalMessage()), e);
        }
        throw new YangtuoException("%s: there is no text 'target'; expected {\"target\":\"..\"}".formatted(place));
    }
}
