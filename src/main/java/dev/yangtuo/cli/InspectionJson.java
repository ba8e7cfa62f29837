package dev.yangtuo.cli;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.StreamWriteConstraints;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.yangtuo.inspect.AdapterFacts;
import dev.yangtuo.inspect.Inspection;
import dev.yangtuo.inspect.TokenizerFacts;
import java.io.IOException;
import java.io.Writer;
import java.lang.reflect.Array;
import java.math.BigInteger;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** An inspection for programs: one JSON object on a line, which docs/formats.md describes. Keys are not renamed or removed. */
final class InspectionJson {
    /** Longer arrays are written in short. */
    static final int LONGEST_ARRAY = 100;
    /** As many values of a long array are shown. */
    static final int FIRST_VALUES = 10;

    /** A configuration may be nested as deep as its reader allows, 1,000 levels, and stands a few levels deep here. */
    private static final JsonFactory FACTORY = JsonFactory.builder()
            .streamWriteConstraints(StreamWriteConstraints.builder().maxNestingDepth(1_100).build())
            .build();

    private final JsonGenerator json;
    private final boolean all;

    private InspectionJson(JsonGenerator json, boolean all) {
        this.json = json;
        this.all = all;
    }

    /**
     * Writes the object and a line feed.
     *
     * @param all whether long arrays are written whole
     * @param out stays open
     */
    static void write(Inspection inspection, boolean all, Writer out) throws IOException {
        try (EscapingWriter escaping = new EscapingWriter(out); JsonGenerator json = new JsonMapper(FACTORY).createGenerator(escaping)) {
            new InspectionJson(json, all).write(inspection);
        }
        out.write("\n");
    }

    private void write(Inspection inspection) throws IOException {
        json.writeStartObject();
        json.writeStringField("path", inspection.path().toString());
        json.writeStringField("kind", lowerCase(inspection.kind()));
        json.writeStringField("format", inspection.format());
        json.writeStringField("architecture", inspection.architecture());
        json.writeBooleanField("loadable", inspection.obstacle() == null);
        json.writeStringField("obstacle", inspection.obstacle());
        json.writeArrayFieldStart("files");
        for (Inspection.StoredFile file : inspection.files()) {
            json.writeStartObject();
            json.writeStringField("file", file.file().toString());
            json.writeNumberField("bytes", file.bytes());
            json.writeEndObject();
        }
        json.writeEndArray();
        writeMap("hyper_parameters", inspection.hyperParameters());
        json.writeNumberField("parameters", inspection.parameters());
        json.writeNumberField("tensor_bytes", inspection.tensorBytes());
        json.writeFieldName("bits_per_weight");
        if (Double.isFinite(inspection.bitsPerWeight())) {
            json.writeNumber(inspection.bitsPerWeight());
        } else {
            json.writeNull();
        }
        writeTypes(inspection.types());
        json.writeFieldName("tokenizer");
        writeTokenizer(inspection.tokenizer());
        json.writeFieldName("adapter");
        writeAdapter(inspection.adapter());
        json.writeObjectFieldStart("metadata");
        for (Map.Entry<String, ? extends Map<String, Object>> entry : inspection.metadata().entrySet()) {
            writeMap(entry.getKey(), entry.getValue());
        }
        json.writeEndObject();
        writeTensors(inspection.tensors());
        json.writeEndObject();
    }

    private void writeTypes(List<Inspection.TypeTotal> types) throws IOException {
        json.writeArrayFieldStart("types");
        for (Inspection.TypeTotal type : types) {
            json.writeStartObject();
            json.writeStringField("type", type.type());
            json.writeBooleanField("readable", type.readable());
            json.writeNumberField("tensors", type.tensors());
            json.writeNumberField("parameters", type.elements());
            json.writeNumberField("bytes", type.bytes());
            json.writeEndObject();
        }
        json.writeEndArray();
    }

    private void writeTensors(List<Inspection.StoredTensor> tensors) throws IOException {
        json.writeArrayFieldStart("tensors");
        for (Inspection.StoredTensor tensor : tensors) {
            json.writeStartObject();
            json.writeStringField("name", tensor.name());
            json.writeStringField("type", tensor.type());
            json.writeBooleanField("readable", tensor.readable());
            json.writeFieldName("shape");
            writeShape(tensor.shape());
            json.writeNumberField("bytes", tensor.bytes());
            json.writeStringField("file", tensor.file().toString());
            json.writeNumberField("offset", tensor.byteOffset());
            json.writeEndObject();
        }
        json.writeEndArray();
    }

    private void writeShape(List<Long> shape) throws IOException {
        json.writeStartArray();
        for (long dimension : shape) {
            json.writeNumber(dimension);
        }
        json.writeEndArray();
    }

    private void writeTokenizer(@Nullable TokenizerFacts tokenizer) throws IOException {
        if (tokenizer == null) {
            json.writeNull();
            return;
        }
        json.writeStartObject();
        json.writeStringField("kind", tokenizer.kind());
        json.writeStringField("name", tokenizer.name());
        json.writeStringField("pre_tokenizer", tokenizer.preTokenizer());
        json.writeStringField("file", tokenizer.source().toString());
        json.writeFieldName("pieces");
        writeValue(tokenizer.pieces());
        json.writeObjectFieldStart("piece_types");
        for (Map.Entry<? extends Enum<?>, Integer> type : tokenizer.pieceTypes().entrySet()) {
            json.writeNumberField(lowerCase(type.getKey()), type.getValue());
        }
        json.writeEndObject();
        json.writeObjectFieldStart("special");
        for (Map.Entry<String, TokenizerFacts.Piece> role : tokenizer.special().entrySet()) {
            json.writeFieldName(role.getKey());
            writePiece(role.getValue());
        }
        json.writeEndObject();
        json.writeFieldName("add_bos");
        writeValue(tokenizer.addBos());
        json.writeFieldName("add_eos");
        writeValue(tokenizer.addEos());
        json.writeFieldName("added");
        writeList(tokenizer.added());
        json.writeFieldName("special_pieces");
        writeList(tokenizer.specialPieces());
        json.writeEndObject();
    }

    private void writePiece(TokenizerFacts.Piece piece) throws IOException {
        json.writeStartObject();
        json.writeNumberField("id", piece.id());
        json.writeStringField("piece", piece.text());
        json.writeStringField("type", piece.type() == null ? null : lowerCase(piece.type()));
        json.writeEndObject();
    }

    private void writeAdapter(@Nullable AdapterFacts adapter) throws IOException {
        if (adapter == null) {
            json.writeNull();
            return;
        }
        json.writeStartObject();
        writeMap("settings", adapter.settings());
        json.writeArrayFieldStart("changes");
        for (AdapterFacts.Change change : adapter.changes()) {
            json.writeStartObject();
            json.writeStringField("effect", lowerCase(change.effect()));
            json.writeStringField("module", change.module());
            json.writeNumberField("count", change.count());
            json.writeArrayFieldStart("ranks");
            for (long rank : change.ranks()) {
                json.writeNumber(rank);
            }
            json.writeEndArray();
            json.writeArrayFieldStart("shapes");
            for (List<Long> shape : change.shapes()) {
                writeShape(shape);
            }
            json.writeEndArray();
            json.writeEndObject();
        }
        json.writeEndArray();
        json.writeArrayFieldStart("notes");
        for (String note : adapter.notes()) {
            json.writeString(note);
        }
        json.writeEndArray();
        json.writeEndObject();
    }

    private void writeMap(String name, Map<String, ? extends @Nullable Object> values) throws IOException {
        json.writeObjectFieldStart(name);
        for (Map.Entry<String, ? extends @Nullable Object> entry : values.entrySet()) {
            json.writeFieldName(entry.getKey());
            writeValue(entry.getValue());
        }
        json.writeEndObject();
    }

    private void writeValue(@Nullable Object value) throws IOException {
        switch (value) {
            case null -> json.writeNull();
            case String text -> json.writeString(text);
            case Boolean flag -> json.writeBoolean(flag);
            case Integer number -> json.writeNumber(number);
            case Long number -> json.writeNumber(number);
            case BigInteger number -> json.writeNumber(number);
            // What is not finite is written as a string.
            case Float number -> json.writeNumber(number);
            case Double number -> json.writeNumber(number);
            case TokenizerFacts.Piece piece -> writePiece(piece);
            case JsonNode node when node.isObject() -> {
                json.writeStartObject();
                for (Map.Entry<String, JsonNode> entry : node.properties()) {
                    json.writeFieldName(entry.getKey());
                    writeValue(entry.getValue());
                }
                json.writeEndObject();
            }
            case JsonNode node when node.isArray() -> writeElements(node.size(), node::get);
            case JsonNode node -> json.writeTree(node);
            default -> writeElements(Array.getLength(value), i -> Array.get(value, i));
        }
    }

    private void writeList(List<?> values) throws IOException {
        writeElements(values.size(), values::get);
    }

    private interface Elements {
        @Nullable Object get(int index);
    }

    private void writeElements(int length, Elements elements) throws IOException {
        boolean whole = all || length <= LONGEST_ARRAY;
        if (!whole) {
            json.writeStartObject();
            json.writeNumberField("length", length);
            json.writeFieldName("first");
        }
        json.writeStartArray();
        for (int i = 0; i < (whole ? length : FIRST_VALUES); i++) {
            writeValue(elements.get(i));
        }
        json.writeEndArray();
        if (!whole) {
            json.writeEndObject();
        }
    }

    private static String lowerCase(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT);
    }
}
