package dev.yangtuo.benchmarks.compare;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.yangtuo.bench.Samples;
import dev.yangtuo.benchmarks.Shell;
import java.util.List;

/** A comparison as JSON, with every sample. What is unknown is null. */
final class ComparisonJson {
    private static final List<String> FACTS = List.of("machine", "system", "features");
    private static final List<String> NUMBERS = List.of("gbps", "tops", "share_of_bandwidth", "share_of_int8_peak", "share_of_fma_peak");

    private ComparisonJson() {}

    static String of(Comparison comparison, CompareOptions options, String commandLine) {
        JsonMapper mapper = new JsonMapper();
        ObjectNode root = mapper.createObjectNode();
        FACTS.forEach(key -> root.put(key, comparison.fact(key)));
        ProgramOutput.CEILINGS.forEach(key -> number(root, key, comparison.ceiling(key)));
        root.put("threads", options.threads());
        root.put("rounds", options.rounds());
        root.put("repeats", options.repeats());
        root.put("command", commandLine);
        var programs = root.putArray("programs");
        for (String name : comparison.names()) {
            programs.addObject().put("name", name).put("version", comparison.version(name));
        }
        var results = root.putArray("results");
        for (Comparison.Row row : comparison.rows()) {
            ObjectNode node = results.addObject().put("model", row.model()).put("test", row.test().name());
            NUMBERS.forEach(key -> number(node, key, row.number(comparison.ours(), key)));
            var cells = node.putArray("programs");
            comparison.names().forEach(name -> cell(cells.addObject(), comparison, row, name));
        }
        try {
            return mapper.writerWithDefaultPrettyPrinter().writeValueAsString(root) + "\n";
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e); // a tree of plain values can be written
        }
    }

    private static void cell(ObjectNode node, Comparison comparison, Comparison.Row row, String name) {
        node.put("name", name);
        Samples samples = row.samples(name);
        Comparison.Cell cell = row.cell(name);
        number(node, "median", samples == null ? Double.NaN : samples.median());
        number(node, "least", samples == null ? Double.NaN : samples.least());
        number(node, "most", samples == null ? Double.NaN : samples.most());
        number(node, "stddev", samples == null ? Double.NaN : samples.deviation());
        number(node, "ratio", row.ratio(comparison.ours(), name));
        var values = node.putArray("samples");
        if (samples != null) {
            samples.values().forEach(values::add);
        }
        node.put("failure", cell == null ? null : cell.failure());
        node.put("command", cell == null || cell.command() == null ? null : Shell.command(cell.command()));
    }

    private static void number(ObjectNode node, String key, double value) {
        if (Double.isNaN(value)) {
            node.putNull(key);
        } else {
            node.put(key, value);
        }
    }
}
