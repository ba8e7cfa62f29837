package dev.yangtuo.jinja;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Writes values as Python's {@code json.dumps} does. */
final class Json {
    /** Levels of lists and dictionaries in each other. */
    static final int MAX_DEPTH = 200;

    private final TextBuilder out;
    private final Budget budget;
    private final boolean ascii;
    private final boolean sortKeys;
    /** What is written for each level on a line of its own; null for one line. */
    private final @Nullable String indent;
    private final String itemSeparator;
    private final String keySeparator;

    private Json(Rendering rendering, Arguments options) {
        this.out = rendering.text();
        this.budget = rendering.budget();
        this.ascii = options.flag(0, "ensure_ascii", false);
        Object levels = options.get(1, "indent", null);
        this.indent = levels == null ? null : levels instanceof Text text ? text.value() : " ".repeat(Math.clamp(Values.requireInteger(levels), 0, 100));
        Object separators = options.get(2, "separators", null);
        this.itemSeparator = separators instanceof List<?> list && list.size() == 2 ? Values.requireText(list.get(0)).value() : indent == null ? ", " : ",";
        this.keySeparator = separators instanceof List<?> list && list.size() == 2 ? Values.requireText(list.get(1)).value() : ": ";
        this.sortKeys = options.flag(3, "sort_keys", false);
    }

    /** @param options of the filter {@code tojson} as transformers has it: {@code ensure_ascii} (false), {@code indent}, {@code separators}, {@code sort_keys} */
    static Text write(@Nullable Object value, Arguments options, Rendering rendering) {
        Json json = new Json(rendering, options);
        json.write(value, 0);
        return json.out.build();
    }

    private void write(@Nullable Object value, int depth) {
        if (depth > MAX_DEPTH) {
            throw new JinjaException("a value is nested more than %d levels deep".formatted(MAX_DEPTH));
        }
        switch (value) {
            case null -> out.append("null");
            case Boolean b -> out.append(b.toString());
            case Long l -> out.append(l.toString());
            case Double d -> out.append(ofDouble(d));
            case Text t -> write(t);
            case List<?> l -> write(l, depth);
            case Map<?, ?> m -> write(m, depth);
            case Undefined u -> throw u.used();
            default -> throw new JinjaException("a %s has no JSON".formatted(Values.typeName(value)));
        }
    }

    private static String ofDouble(double value) {
        return Double.isNaN(value) ? "NaN" : Double.isInfinite(value) ? value > 0 ? "Infinity" : "-Infinity" : Values.ofDouble(value);
    }

    private void write(List<?> list, int depth) {
        out.append("[");
        for (int i = 0; i < list.size(); i++) {
            begin(i, depth);
            write(list.get(i), depth + 1);
        }
        end(list.isEmpty(), depth);
        out.append("]");
    }

    private void write(Map<?, ?> map, int depth) {
        out.append("{");
        int i = 0;
        for (Map.Entry<?, ?> entry : entries(map)) {
            begin(i++, depth);
            write(key(entry.getKey()));
            out.append(keySeparator);
            write(entry.getValue(), depth + 1);
        }
        end(map.isEmpty(), depth);
        out.append("}");
    }

    private List<? extends Map.Entry<?, ?>> entries(Map<?, ?> map) {
        return map.entrySet().stream().sorted((a, b) -> sortKeys ? Values.compare(a.getKey(), b.getKey(), budget) : 0).toList();
    }

    private static Text key(@Nullable Object key) {
        return switch (key) {
            case Text t -> t;
            case null -> Text.of("null");
            case Boolean b -> Text.of(b.toString());
            case Long l -> Text.of(l.toString());
            case Double d -> Text.of(ofDouble(d));
            default -> throw new JinjaException("a %s cannot be a key in JSON".formatted(Values.typeName(key)));
        };
    }

    private void begin(int index, int depth) {
        out.append(index == 0 ? "" : itemSeparator);
        newLine(depth + 1);
    }

    private void end(boolean empty, int depth) {
        if (!empty) {
            newLine(depth);
        }
    }

    private void newLine(int depth) {
        if (indent != null) {
            out.append("\n").append(indent.repeat(depth));
        }
    }

    private void write(Text text) {
        out.append("\"");
        for (int i = 0; i < text.chars(); i++) {
            char c = text.value().charAt(i);
            out.append(escaped(c), text, i);
        }
        out.append("\"");
    }

    private String escaped(char c) {
        return switch (c) {
            case '"' -> "\\\"";
            case '\\' -> "\\\\";
            case '\n' -> "\\n";
            case '\r' -> "\\r";
            case '\t' -> "\\t";
            case '\b' -> "\\b";
            case '\f' -> "\\f";
            default -> c < 0x20 || ascii && c > 0x7E ? "\\u%04x".formatted((int) c) : String.valueOf(c);
        };
    }
}
