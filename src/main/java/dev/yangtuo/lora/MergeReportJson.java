package dev.yangtuo.lora;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

/** A merge report as JSON; docs/formats.md documents the keys. What is not finite is null. */
final class MergeReportJson {
    private MergeReportJson() {}

    static String of(MergeReport report) {
        JsonMapper mapper = new JsonMapper();
        ObjectNode root = mapper.createObjectNode();
        ArrayNode adapters = root.putArray("adapters");
        for (MergeReport.Adapter adapter : report.adapters()) {
            adapter(adapters.addObject(), adapter);
        }
        try {
            return mapper.writerWithDefaultPrettyPrinter().writeValueAsString(root);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e); // a tree of plain values can be written
        }
    }

    private static void adapter(ObjectNode node, MergeReport.Adapter adapter) {
        node.put("path", adapter.source().path().toString());
        node.put("format", adapter.source().format());
        node.put("scale", adapter.source().scale());
        node.put("merged", adapter.source().merged());
        node.put("changed", adapter.changed());
        node.put("rescaled", adapter.rescaled());
        node.put("replaced", adapter.replaced());
        node.put("resized", adapter.resized());
        node.put("biases", adapter.biases());
        node.put("token_rows", adapter.tokenRows());
        node.put("overwritten", adapter.overwritten());
        node.put("vocabulary_before", adapter.vocabularyBefore());
        node.put("vocabulary_after", adapter.vocabularyAfter());
        number(node, "relative_norm", adapter.relativeNorm());
        ArrayNode notes = node.putArray("notes");
        adapter.notes().forEach(notes::add);
        ArrayNode parameters = node.putArray("parameters");
        for (MergeReport.Change change : adapter.changes()) {
            ObjectNode parameter = parameters.addObject();
            parameter.put("name", change.parameter());
            ArrayNode steps = parameter.putArray("steps");
            change.kinds().forEach(kind -> steps.add(kind.label()));
            parameter.put("rows_before", change.rowsBefore());
            parameter.put("rows", change.rows());
            parameter.put("token_rows", change.tokenRows());
            parameter.put("overwritten", change.overwritten());
            number(parameter, "relative_norm", change.relativeNorm());
        }
    }

    private static void number(ObjectNode node, String key, double value) {
        if (Double.isFinite(value)) {
            node.put(key, value);
        } else {
            node.putNull(key);
        }
    }
}
