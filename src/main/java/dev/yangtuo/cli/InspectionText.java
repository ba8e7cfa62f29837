package dev.yangtuo.cli;

import com.fasterxml.jackson.databind.JsonNode;
import dev.yangtuo.inspect.AdapterFacts;
import dev.yangtuo.inspect.Inspection;
import dev.yangtuo.inspect.TokenizerFacts;
import java.lang.reflect.Array;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.IntFunction;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** An inspection for people. Every text out of a file is escaped, and cut unless all is asked for. */
final class InspectionText {
    private static final int VALUE_COLUMNS = 70;
    private static final int NAME_COLUMNS = 64;
    private static final int RANGE_COLUMNS = 16;
    /** More lines of one kind are left out unless all is asked for. */
    private static final int MOST_LINES = 200;
    /** As many values of an array, pieces or files are named. */
    private static final int NAMED = 8;

    private final StringBuilder out = new StringBuilder();
    private final Inspection inspection;
    private final boolean everyTensor;
    private final boolean all;

    private InspectionText(Inspection inspection, boolean everyTensor, boolean all) {
        this.inspection = inspection;
        this.everyTensor = everyTensor;
        this.all = all;
    }

    /** The lines, each with its line feed. */
    static String of(Inspection inspection, boolean everyTensor, boolean all) {
        return new InspectionText(inspection, everyTensor, all).text();
    }

    private String text() {
        appendHead();
        if (!inspection.tensors().isEmpty()) {
            appendTypes();
            appendTensors();
        }
        TokenizerFacts tokenizer = inspection.tokenizer();
        if (tokenizer != null) {
            appendTokenizer(tokenizer);
        }
        AdapterFacts adapter = inspection.adapter();
        if (adapter != null) {
            appendAdapter(adapter);
        }
        inspection.metadata().forEach(this::appendMetadata);
        if (inspection.obstacle() != null) {
            // Whole: it is the answer to a question.
            out.append('\n').append(adapter == null ? "cannot be run: " : "cannot be merged: ")
                    .append(TerminalText.escaped(inspection.obstacle())).append('\n');
        }
        return out.toString();
    }

    private void appendHead() {
        List<List<String>> rows = new ArrayList<>();
        out.append(TerminalText.escaped(inspection.path().toString())).append(": ").append(title()).append('\n');
        inspection.hyperParameters().forEach((name, value) -> {
            if (value != null) {
                rows.add(List.of(name.replace('_', ' '), shown(value)));
            }
        });
        if (!inspection.tensors().isEmpty()) {
            rows.add(List.of("parameters", "%s in %s tensors".formatted(number(inspection.parameters()), number(inspection.tensors().size()))));
            double bits = inspection.bitsPerWeight();
            rows.add(List.of("size", bytes(inspection.tensorBytes())
                    + (Double.isFinite(bits) ? String.format(Locale.ROOT, ", %.2f bits per weight", bits) : "")));
            rows.add(List.of("files", inspection.files().stream().limit(all ? Long.MAX_VALUE : NAMED)
                    .map(file -> "%s (%s)".formatted(cut(file.file().getFileName().toString(), NAME_COLUMNS), bytes(file.bytes())))
                    .collect(Collectors.joining(", ")) + more(inspection.files().size())));
        }
        appendRows(rows, Set.of(0, 1));
    }

    private String title() {
        String kind = switch (inspection.kind()) {
            case GGUF -> "GGUF model";
            case GGUF_ADAPTER -> "GGUF adapter";
            case HUGGING_FACE -> "Hugging Face model";
            case PEFT_ADAPTER -> "PEFT adapter";
            case META -> "Meta model";
            case SAFETENSORS, PYTORCH -> "tensors";
            case LLAMA2_C -> "llama2.c model";
            case TOKENIZER -> "tokenizer";
        };
        String architecture = inspection.architecture();
        return kind + (architecture == null ? "" : ", architecture " + cut(architecture, NAME_COLUMNS)) + ", " + inspection.format();
    }

    private void appendTypes() {
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("type", "tensors", "parameters", "bytes", "share", ""));
        for (Inspection.TypeTotal type : inspection.types()) {
            rows.add(List.of(
                    type.type(),
                    number(type.tensors()),
                    number(type.elements()),
                    bytes(type.bytes()),
                    String.format(Locale.ROOT, "%.1f %%", 100.0 * type.bytes() / Math.max(1, inspection.tensorBytes())),
                    type.readable() ? "" : "cannot be read"));
        }
        out.append("\ntypes\n");
        appendRows(rows, Set.of(0, 5));
    }

    private void appendTensors() {
        List<List<String>> rows = new ArrayList<>();
        if (everyTensor) {
            boolean severalFiles = inspection.files().size() > 1;
            rows.add(severalFiles ? List.of("tensor", "type", "shape", "bytes", "file") : List.of("tensor", "type", "shape", "bytes"));
            for (Inspection.StoredTensor tensor : inspection.tensors()) {
                List<String> row = new ArrayList<>(List.of(cut(tensor.name(), 2 * NAME_COLUMNS), tensor.type(), shape(tensor.shape()),
                        number(tensor.bytes())));
                if (severalFiles) {
                    row.add(cut(tensor.file().getFileName().toString(), NAME_COLUMNS));
                }
                rows.add(row);
            }
            out.append("\ntensors\n");
            appendRows(rows, Set.of(0, 1, 4));
            return;
        }
        List<TensorPatterns.Pattern> patterns = TensorPatterns.of(inspection.tensors());
        String prefix = TensorPatterns.commonPrefix(patterns);
        rows.add(List.of(prefix.isEmpty() ? "tensor" : cut(prefix, NAME_COLUMNS) + "…", "layers", "count", "type", "shape", "bytes"));
        for (TensorPatterns.Pattern pattern : patterns.subList(0, Math.min(patterns.size(), MOST_LINES))) {
            rows.add(List.of(
                    cut(pattern.name().substring(prefix.length()), NAME_COLUMNS),
                    cut(pattern.layerRanges(), RANGE_COLUMNS),
                    number(pattern.count()),
                    pattern.type(),
                    shape(pattern.shape()),
                    bytes(pattern.bytes())));
        }
        out.append("\ntensors\n");
        appendRows(rows, Set.of(0, 1, 3));
        appendLeftOut(patterns.size(), "--tensors");
    }

    private void appendTokenizer(TokenizerFacts tokenizer) {
        List<List<String>> rows = new ArrayList<>();
        String kind = switch (tokenizer.kind()) {
            case "sentencepiece_bpe" -> "SentencePiece BPE";
            case "sentencepiece_unigram" -> "SentencePiece unigram";
            case "byte_level_bpe" -> "byte-level BPE";
            default -> tokenizer.kind();
        };
        rows.add(List.of("kind", kind + named(", ", tokenizer.name()) + named(", words as ", tokenizer.preTokenizer())));
        rows.add(List.of("file", TerminalText.escaped(tokenizer.source().toString())));
        if (tokenizer.pieces() != null) {
            String types = tokenizer.pieceTypes().entrySet().stream()
                    .map(type -> number(type.getValue()) + " " + type.getKey().name().toLowerCase(Locale.ROOT).replace('_', '-'))
                    .collect(Collectors.joining(", "));
            rows.add(List.of("pieces", number(tokenizer.pieces()) + (types.isEmpty() ? "" : " (" + types + ")")));
        }
        tokenizer.special().forEach((role, piece) -> rows.add(List.of(cut(role, RANGE_COLUMNS), piece(piece))));
        if (tokenizer.addBos() != null || tokenizer.addEos() != null) {
            rows.add(List.of("expects", "bos first: %s, eos last: %s".formatted(yes(tokenizer.addBos()), yes(tokenizer.addEos()))));
        }
        if (!tokenizer.added().isEmpty()) {
            rows.add(List.of("added", pieces(tokenizer.added())));
        }
        if (!tokenizer.specialPieces().isEmpty()) {
            rows.add(List.of("special", pieces(tokenizer.specialPieces())));
        }
        out.append("\ntokenizer\n");
        appendRows(rows, Set.of(0, 1));
    }

    private static String yes(@Nullable Boolean flag) {
        return flag == null ? "unknown" : flag ? "yes" : "no";
    }

    private String named(String prefix, @Nullable String name) {
        return name == null ? "" : prefix + "'" + cut(name, RANGE_COLUMNS * 2) + "'";
    }

    private String pieces(List<TokenizerFacts.Piece> pieces) {
        return listed(pieces.size(), i -> piece(pieces.get(i)));
    }

    private String piece(TokenizerFacts.Piece piece) {
        return piece.id() + (piece.text() == null ? "" : " '" + cut(piece.text(), RANGE_COLUMNS * 2) + "'");
    }

    private void appendAdapter(AdapterFacts adapter) {
        List<List<String>> rows = new ArrayList<>();
        adapter.settings().forEach((name, value) -> {
            if (value != null) {
                rows.add(List.of(name.replace('_', ' '), shown(value)));
            }
        });
        out.append("\nadapter\n");
        appendRows(rows, Set.of(0, 1));
        List<List<String>> changes = new ArrayList<>();
        changes.add(List.of("change", "module", "count", "rank or shape"));
        List<AdapterFacts.Change> shownChanges = adapter.changes().subList(0, all ? adapter.changes().size() : Math.min(adapter.changes().size(), MOST_LINES));
        for (AdapterFacts.Change change : shownChanges) {
            String extent = change.ranks().isEmpty()
                    ? change.shapes().stream().limit(NAMED).map(InspectionText::shape).collect(Collectors.joining(", "))
                    : change.ranks().stream().limit(NAMED).map(String::valueOf).collect(Collectors.joining(", ", "rank ", ""));
            changes.add(List.of(describe(change.effect()), cut(change.module(), NAME_COLUMNS), number(change.count()), extent));
        }
        out.append("\nchanges\n");
        appendRows(changes, Set.of(0, 1, 3));
        appendLeftOut(adapter.changes().size(), "--all");
        adapter.notes().forEach(note -> out.append("note: ").append(TerminalText.escaped(note)).append('\n'));
    }

    private static String describe(AdapterFacts.Effect effect) {
        return switch (effect) {
            case LORA -> "LoRA is added to";
            case EMBEDDING_LORA -> "embedding LoRA is added to";
            case WHOLE -> "replaces";
            case TOKEN_ROWS -> "replaces single rows of";
            case MAGNITUDE -> "sets the lengths of rows (DoRA) of";
            case BIAS -> "trained bias of";
            case NONE -> "nothing (saved from the base):";
            case UNKNOWN -> "not known:";
        };
    }

    private void appendMetadata(String name, Map<String, Object> values) {
        List<List<String>> rows = new ArrayList<>();
        values.entrySet().stream().limit(all ? Long.MAX_VALUE : MOST_LINES)
                .forEach(entry -> rows.add(List.of(cut(entry.getKey(), NAME_COLUMNS), shown(entry.getValue()))));
        out.append("\nmetadata of ").append(name.equals("gguf") || name.equals("safetensors") ? "the header" : cut(name, NAME_COLUMNS)).append('\n');
        appendRows(rows, Set.of(0, 1));
        appendLeftOut(values.size(), "--all");
    }

    private void appendRows(List<List<String>> rows, Set<Integer> left) {
        if (!rows.isEmpty()) {
            TextTable.append(out, rows, left);
        }
    }

    private void appendLeftOut(int count, String option) {
        if (!all && count > MOST_LINES) {
            out.append("  … and %s more; %s shows them\n".formatted(number(count - MOST_LINES), option));
        }
    }

    private String more(int count) {
        return all || count <= NAMED ? "" : ", … " + number(count - NAMED) + " more";
    }

    /** A value of metadata on a line. */
    private String shown(Object value) {
        return switch (value) {
            case String text -> cut(text, VALUE_COLUMNS);
            case JsonNode node when node.isTextual() -> cut(node.textValue(), VALUE_COLUMNS);
            case JsonNode node when node.isArray() -> "[" + listed(node.size(), i -> cut(bare(node.get(i)), RANGE_COLUMNS)) + "]";
            case JsonNode node -> cut(node.toString(), VALUE_COLUMNS);
            case Object array when array.getClass().isArray() ->
                    "[" + listed(Array.getLength(array), i -> cut(String.valueOf(Array.get(array, i)), RANGE_COLUMNS)) + "]";
            default -> cut(String.valueOf(value), VALUE_COLUMNS);
        };
    }

    /** As many elements as fit on a line, at least one, and how many are left out. */
    private String listed(int length, IntFunction<String> element) {
        StringBuilder text = new StringBuilder();
        int columns = 0;
        for (int i = 0; i < length; i++) {
            String next = (i == 0 ? "" : ", ") + element.apply(i);
            columns += TextTable.columns(next);
            if (!all && i > 0 && columns > VALUE_COLUMNS) {
                return text.append(", … ").append(number(length - i)).append(" more").toString();
            }
            text.append(next);
        }
        return text.toString();
    }

    private static String bare(JsonNode node) {
        return node.isTextual() ? node.textValue() : node.toString();
    }

    private String cut(String text, int columns) {
        return TerminalText.escaped(text, all ? Integer.MAX_VALUE : columns);
    }

    private static String shape(List<Long> shape) {
        return shape.isEmpty() ? "scalar" : shape.stream().map(String::valueOf).collect(Collectors.joining(" x "));
    }

    private static String number(long count) {
        return String.format(Locale.ROOT, "%,d", count);
    }

    private static String bytes(long bytes) {
        if (bytes < 1000) {
            return bytes + " B";
        }
        double size = bytes;
        String unit = "";
        for (String next : List.of("kB", "MB", "GB", "TB", "PB", "EB")) {
            if (size < 999.95) {
                break;
            }
            size /= 1000;
            unit = next;
        }
        return String.format(Locale.ROOT, "%.1f %s", size, unit);
    }
}
