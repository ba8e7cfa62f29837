package dev.yangtuo.benchmarks.latency;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A file of results: where and how they were measured, and a row for each measure, engine, model and parameters.
 *
 * @param facts the machine, versions, flags and the date, by name
 * @param rows in the order in which they were measured
 */
record SuiteResults(Map<String, String> facts, List<SuiteRow> rows) {
    /** Of the file; another number is another meaning of its keys. */
    static final int FORMAT = 1;

    private static final JsonMapper JSON = new JsonMapper();

    SuiteResults {
        facts = Collections.unmodifiableMap(new LinkedHashMap<>(facts));
        rows = List.copyOf(rows);
    }

    /** {@return these and a row, which takes the place of one that was of the same} */
    SuiteResults with(SuiteCase of, SuiteRow row) {
        List<SuiteRow> more = new ArrayList<>(rows);
        more.removeIf(other -> other.isOf(of));
        more.add(row);
        return new SuiteResults(facts, more);
    }

    /** {@return whether a case was measured} */
    boolean has(SuiteCase of) {
        return rows.stream().anyMatch(row -> row.isOf(of) && row.failure() == null);
    }

    /** Writes the file: it is there as a whole, or as it was before. */
    void write(Path file) throws IOException {
        Files.createDirectories(file.getParent());
        Path unfinished = file.resolveSibling(file.getFileName() + ".part");
        Files.writeString(unfinished, json());
        Files.move(unfinished, file, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
    }

    String json() {
        ObjectNode root = JSON.createObjectNode().put("format", FORMAT);
        ObjectNode about = root.putObject("facts");
        facts.forEach(about::put);
        var array = root.putArray("rows");
        for (SuiteRow row : rows) {
            ObjectNode node = array.addObject()
                    .put("measure", row.measure().toString()).put("engine", row.engine().toString()).put("model", row.model()).put("unit", row.measure().unit());
            ObjectNode parameters = node.putObject("parameters");
            row.parameters().forEach(parameters::put);
            ObjectNode values = node.putObject("values");
            row.values().forEach(values::put);
            ObjectNode said = node.putObject("facts");
            row.facts().forEach(said::put);
            node.put("not_measured", row.failure());
        }
        try {
            return JSON.writerWithDefaultPrettyPrinter().writeValueAsString(root) + "\n";
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e); // a tree of plain values can be written
        }
    }

    /**
     * {@return the results of a file}
     *
     * @throws IOException if it cannot be read, or is no file of results
     */
    static SuiteResults read(Path file) throws IOException {
        try {
            JsonNode root = JSON.readTree(Files.readAllBytes(file));
            if (root.path("format").asInt() != FORMAT || !root.path("rows").isArray()) {
                throw new IOException("%s: is not a file of results of benchmarks/latency, format %d".formatted(file, FORMAT));
            }
            List<SuiteRow> rows = new ArrayList<>();
            for (JsonNode node : root.path("rows")) {
                rows.add(row(node));
            }
            return new SuiteResults(texts(root.path("facts")), rows);
        } catch (JsonProcessingException | IllegalArgumentException e) {
            throw new IOException("%s: %s".formatted(file, e.getMessage()), e);
        }
    }

    private static SuiteRow row(JsonNode node) {
        Map<String, Double> values = new LinkedHashMap<>();
        node.path("values").properties().forEach(entry -> values.put(entry.getKey(), entry.getValue().asDouble()));
        @Nullable String failure = node.path("not_measured").textValue();
        return new SuiteRow(Measure.of(node.path("measure").asText()), EngineName.of(node.path("engine").asText()), node.path("model").asText(),
                texts(node.path("parameters")), values, texts(node.path("facts")), failure);
    }

    private static Map<String, String> texts(JsonNode node) {
        Map<String, String> texts = new LinkedHashMap<>();
        node.properties().forEach(entry -> texts.put(entry.getKey(), entry.getValue().asText()));
        return texts;
    }
}
