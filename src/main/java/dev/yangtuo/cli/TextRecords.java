package dev.yangtuo.cli;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import dev.yangtuo.exception.YangtuoException;
import java.io.IOException;
import java.io.InputStream;
import java.util.Iterator;
import java.util.NoSuchElementException;
import org.jspecify.annotations.Nullable;

/**
 * The records of a file of JSON lines, one at a time: prompts, answers, or both, as {@code batch} reads and writes them, and as OpenAI's batch
 * files have them. Empty lines count for nothing.
 */
final class TextRecords implements Iterator<TextRecords.TextRecord>, AutoCloseable {
    private static final int MAX_LINE_BYTES = 1 << 24;

    private final InputStream in;
    private final LineReader lines;
    private final String name;
    private final JsonLines json = new JsonLines();
    private @Nullable TextRecord next;

    /**
     * A record.
     *
     * @param place its file and line, for messages
     * @param object all of it
     * @param id {@code id} or {@code custom_id}, a number as it is written; null if it has none
     * @param prompt what is asked; null if it does not say
     * @param text the answer; null if there is none
     */
    record TextRecord(String place, JsonNode object, @Nullable String id, @Nullable String prompt, @Nullable String text) {
        /** The same without the object, for whoever keeps many of them. */
        TextRecord light() {
            return new TextRecord(place, MissingNode.getInstance(), id, prompt, text);
        }

        String requireId() {
            if (id == null) {
                throw new YangtuoException("%s: expected an \"id\" (or \"custom_id\"), a string or a number".formatted(place));
            }
            return id;
        }

        /** @param remedy what to do without one */
        String requirePrompt(String remedy) {
            if (prompt == null) {
                throw new YangtuoException("%s: expected a \"prompt\", a \"question\" or \"messages\"; %s".formatted(place, remedy));
            }
            return prompt;
        }
    }

    private TextRecords(InputStream in, String name) {
        this.in = in;
        this.lines = new LineReader(in, name, MAX_LINE_BYTES);
        this.name = name;
    }

    static TextRecords open(TextFile file) throws IOException {
        return new TextRecords(file.open(), file.name());
    }

    /** @throws YangtuoException if the next line is not a JSON object, or the file cannot be read */
    @Override
    public boolean hasNext() {
        try {
            while (next == null) {
                String line = lines.nextText();
                if (line == null) {
                    return false;
                }
                String place = "%s, line %d".formatted(name, lines.number());
                next = line.isBlank() ? null : record(place, object(place, line));
            }
            return true;
        } catch (IOException e) {
            throw new YangtuoException("%s: cannot be read: %s".formatted(name, Failures.reason(e)), e);
        }
    }

    private JsonNode object(String place, String line) throws IOException {
        try {
            JsonNode object = json.read(line);
            if (object.isObject()) {
                return object;
            }
        } catch (JacksonException e) {
            throw new YangtuoException("%s: is not one JSON object: %s".formatted(place, e.getOriginalMessage()), e);
        }
        throw new YangtuoException("%s: expected a JSON object".formatted(place));
    }

    @Override
    public TextRecord next() {
        if (!hasNext() || next == null) {
            throw new NoSuchElementException();
        }
        TextRecord record = next;
        next = null;
        return record;
    }

    private static TextRecord record(String place, JsonNode object) {
        JsonNode id = object.path(object.has("id") && !object.has("custom_id") ? "id" : "custom_id"); // OpenAI's output has both, and its id is that of the request
        JsonNode body = object.has("body") ? object.path("body") : object;
        return new TextRecord(place, object, id.isTextual() || id.isNumber() ? id.asText() : null, prompt(body), text(object));
    }

    private static @Nullable String prompt(JsonNode body) {
        for (String key : new String[] {"prompt", "question"}) {
            if (body.path(key).isTextual()) {
                return body.path(key).textValue();
            }
        }
        JsonNode messages = body.path("messages");
        if (messages.size() == 1) {
            return messages.get(0).path("content").textValue();
        }
        StringBuilder all = new StringBuilder();
        for (JsonNode message : messages) {
            all.append(all.isEmpty() ? "" : "\n").append(message.path("role").asText()).append(": ").append(message.path("content").asText());
        }
        return all.isEmpty() ? null : all.toString();
    }

    private static @Nullable String text(JsonNode object) {
        JsonNode choice = object.path("response").path("body").path("choices").path(0);
        for (JsonNode text : new JsonNode[] {object.path("text"), choice.path("text"), choice.path("message").path("content")}) {
            if (text.isTextual()) {
                return text.textValue();
            }
        }
        return null;
    }

    @Override
    public void close() throws IOException {
        in.close();
    }
}
