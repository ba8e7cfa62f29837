package dev.yangtuo.batch;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.yangtuo.exception.YangtuoException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * The first line of a journal, JSON: which batch it is of.
 *
 * @param created when the batch was begun, seconds since 1970
 * @param settings what its results depend on, by name
 * @param completion null while it is not complete
 */
record JournalHeader(long created, SortedMap<String, String> settings, @Nullable Completion completion) {
    /** What a journal begins with. */
    static final String MAGIC = "{\"yangtuo_batch\":1,";

    private static final ObjectMapper MAPPER = new ObjectMapper();

    /**
     * The end of a batch.
     *
     * @param outputBytes of the whole output
     * @param tally of all its results, as JSON
     */
    record Completion(long outputBytes, JsonNode tally) {}

    static JournalHeader of(long created, Map<String, String> settings) {
        return new JournalHeader(created, new TreeMap<>(settings), null);
    }

    JournalHeader complete(long outputBytes, JsonNode tally) {
        return new JournalHeader(created, settings, new Completion(outputBytes, tally));
    }

    /** The line with its line feed. */
    byte[] toLine() {
        ObjectNode json = MAPPER.createObjectNode();
        json.put("yangtuo_batch", 1).put("created", created);
        settings.forEach(json.putObject("settings")::put);
        if (completion != null) {
            json.put("output_bytes", completion.outputBytes()).set("tally", completion.tally());
        }
        try {
            return (MAPPER.writeValueAsString(json) + "\n").getBytes(StandardCharsets.UTF_8);
        } catch (JsonProcessingException e) {
            throw new AssertionError("numbers and words can be written", e);
        }
    }

    /**
     * Reads the line, without its line feed.
     *
     * @throws YangtuoException if it is none
     */
    static JournalHeader read(Path journal, byte[] line) {
        try {
            JsonNode json = MAPPER.readTree(line);
            SortedMap<String, String> settings = new TreeMap<>();
            json.path("settings").properties().forEach(setting -> settings.put(setting.getKey(), setting.getValue().asText()));
            Completion completion = json.has("tally") ? new Completion(json.path("output_bytes").asLong(), json.get("tally")) : null;
            return new JournalHeader(json.path("created").asLong(), settings, completion);
        } catch (IOException e) {
            throw new YangtuoException("%s: is damaged, its first line is not JSON; begin the batch anew".formatted(journal), e);
        }
    }

    /**
     * Holds a batch against the one that is to be resumed.
     *
     * @throws YangtuoException that says what differs
     */
    void requireSame(Path output, Map<String, String> now) {
        TreeSet<String> names = new TreeSet<>(settings.keySet());
        names.addAll(now.keySet());
        StringBuilder differences = new StringBuilder();
        for (String name : names) {
            String before = settings.get(name);
            String here = now.get(name);
            if (before == null || !before.equals(here)) {
                differences.append(differences.isEmpty() ? "" : "; ").append("%s was %s and is %s".formatted(name, shown(before), shown(here)));
            }
        }
        if (!differences.isEmpty()) {
            throw new YangtuoException("%s: was begun by another batch and cannot be resumed with this one: %s; give what it was begun with, or begin anew and overwrite it"
                    .formatted(output, differences));
        }
    }

    private static String shown(@Nullable String value) {
        return value == null ? "not set" : RequestProblem.quoted(value);
    }
}
