package dev.yangtuo.jinja;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** jinja2's filters of values and strings; {@link ListFilters} has those of lists. */
final class Filters {
    private static final Pattern WORD_GAP = Pattern.compile("[-\\s({\\[<]+", Pattern.UNICODE_CHARACTER_CLASS);

    private static final Pattern WORDS = Pattern.compile("\\w+", Pattern.UNICODE_CHARACTER_CLASS);
    private static final Pattern NUMBER = Pattern.compile("[-+]?(\\d+\\.?\\d*|\\.\\d+)([eE][-+]?\\d{1,3})?");

    private Filters() {}

    /** {@code value | name(arguments)}. */
    static @Nullable Object apply(String name, @Nullable Object value, Arguments arguments, Rendering rendering) {
        Members.spend(value, rendering.budget());
        return switch (name) {
            case "default", "d" -> value instanceof Undefined || arguments.flag(1, "boolean", false) && !Values.isTrue(value)
                    ? arguments.get(0, "default_value", Text.EMPTY) : value;
            case "length", "count" -> Values.length(value);
            case "string" -> Values.toText(value, rendering);
            case "safe" -> value;
            case "tojson" -> Json.write(value, arguments, rendering);
            case "int" -> toInteger(value, arguments);
            case "float" -> toFloat(value, arguments);
            case "abs" -> value instanceof Double d ? (Object) Math.abs(d) : Arithmetic.sign(Values.requireInteger(value) < 0, value);
            case "round" -> round(Values.toDouble(value), arguments);
            case "attr" -> Members.member(value, arguments.text(0, "name").value(), rendering.budget());
            case "trim" -> Values.toText(value, rendering).strip(true, true, TextMethods.characters(arguments));
            case "upper", "lower", "capitalize" -> TextMethods.withCase(Values.toText(value, rendering), name, rendering);
            case "title" -> title(Values.toText(value, rendering), rendering);
            case "replace" -> TextMethods.replace(Values.toText(value, rendering), Values.toText(arguments.require(0, "old"), rendering),
                    Values.toText(arguments.require(1, "new"), rendering), arguments.integer(2, "count", -1), rendering);
            case "indent" -> indent(Values.toText(value, rendering), arguments, rendering);
            case "escape", "e" -> escape(Values.toText(value, rendering), rendering);
            case "format" -> Formats.percent(Values.toText(value, rendering), arguments, rendering);
            case "truncate" -> truncate(Values.toText(value, rendering), arguments, rendering);
            case "wordcount" -> WORDS.matcher(Values.toText(value, rendering).value()).results().count();
            default -> ListFilters.apply(name, value, arguments, rendering);
        };
    }

    private static @Nullable Object toInteger(@Nullable Object value, Arguments arguments) {
        Object otherwise = arguments.get(0, "default", 0L);
        return switch (value) {
            case Long l -> l;
            case Boolean b -> b ? 1L : 0L;
            case Double d -> Double.isFinite(d) ? (Object) d.longValue() : otherwise;
            case Text t -> {
                String number = t.value().strip().replace("_", "");
                try {
                    yield Long.valueOf(number, arguments.integer(1, "base", 10));
                } catch (NumberFormatException e) {
                    yield NUMBER.matcher(number).matches() ? (Object) (long) Double.parseDouble(number) : otherwise;
                }
            }
            case null, default -> otherwise;
        };
    }

    private static @Nullable Object toFloat(@Nullable Object value, Arguments arguments) {
        Object otherwise = arguments.get(0, "default", 0.0);
        if (Values.isNumber(value)) {
            return Values.toDouble(value);
        }
        boolean isNumber = value instanceof Text text && NUMBER.matcher(text.value().strip()).matches();
        return isNumber ? (Object) Double.parseDouble(((Text) value).value().strip()) : otherwise;
    }

    private static double round(double value, Arguments arguments) {
        if (!Double.isFinite(value)) {
            return value;
        }
        RoundingMode mode = switch (arguments.text(1, "method", "common").value()) {
            case "ceil" -> RoundingMode.CEILING;
            case "floor" -> RoundingMode.FLOOR;
            default -> RoundingMode.HALF_EVEN;
        };
        return new BigDecimal(value).setScale(Math.clamp(arguments.integer(0, "precision", 0), -300, 300), mode).doubleValue();
    }

    /** Words begin in upper case; the rest is in lower case. */
    private static Text title(Text text, Rendering rendering) {
        TextBuilder out = rendering.text();
        Matcher gap = WORD_GAP.matcher(text.value());
        int from = 0;
        while (from < text.chars()) {
            boolean found = gap.find(from);
            int end = found ? gap.start() : text.chars();
            out.append(TextMethods.withCase(text.part(from, end), "capitalize", rendering));
            from = found ? gap.end() : end;
            out.append(text.part(end, from));
        }
        return out.build();
    }

    private static Text indent(Text text, Arguments arguments, Rendering rendering) {
        Object width = arguments.get(0, "width", 4L);
        Text indentation = width instanceof Text given ? given : Text.of(" ".repeat(Math.clamp(Values.requireInteger(width), 0, 1000)));
        boolean blank = arguments.flag(2, "blank", false);
        // As jinja2 does it: the line feed that is added makes an empty last line of one that the text ends with.
        List<Text> lines = TextMethods.lines(rendering.text().append(text).append("\n").build(), false, rendering.budget());
        TextBuilder out = rendering.text();
        for (int i = 0; i < lines.size(); i++) {
            out.append(i == 0 ? "" : "\n");
            boolean indented = i == 0 ? arguments.flag(1, "first", false) : blank || !lines.get(i).isEmpty();
            out.append(indented ? indentation : Text.EMPTY).append(lines.get(i));
        }
        return out.build();
    }

    private static Text escape(Text text, Rendering rendering) {
        TextBuilder out = rendering.text();
        for (int i = 0; i < text.chars(); i++) {
            char c = text.value().charAt(i);
            out.append(switch (c) {
                case '&' -> "&amp;";
                case '<' -> "&lt;";
                case '>' -> "&gt;";
                case '\'' -> "&#39;";
                case '"' -> "&#34;";
                default -> String.valueOf(c);
            }, text, i);
        }
        return out.build();
    }

    private static Text truncate(Text text, Arguments arguments, Rendering rendering) {
        int length = arguments.integer(0, "length", 255);
        Text end = arguments.text(2, "end", "...");
        if (text.length() <= length + arguments.integer(3, "leeway", 5)) {
            return text;
        }
        Text kept = text.codePoints(0, Math.clamp(length - end.length(), 0, text.length()));
        int lastSpace = kept.value().lastIndexOf(' ');
        return rendering.text().append(arguments.flag(1, "killwords", false) || lastSpace < 0 ? kept : kept.part(0, lastSpace)).append(end).build();
    }
}
