package dev.yangtuo.jinja;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Python's formats: {@code %}, {@code str.format}, {@code strftime}. Of each what templates use; anything else is an error. */
final class Formats {
    private static final Pattern PERCENT = Pattern.compile("%(?:(%)|(0?)(\\d{0,3})(?:\\.(\\d{1,2}))?([sdirf]))");
    private static final Pattern BRACES = Pattern.compile("\\{\\{|\\}\\}|\\{([^{}:!]*)(!r)?\\}");

    private Formats() {}

    /** {@code format % arguments}. */
    static Text percent(Text format, Arguments arguments, Rendering rendering) {
        TextBuilder out = rendering.text();
        Matcher matcher = PERCENT.matcher(format.value());
        int from = 0;
        int next = 0;
        for (int at = format.value().indexOf('%'); at >= 0; at = format.value().indexOf('%', from)) {
            if (!matcher.region(at, format.chars()).lookingAt()) {
                throw new JinjaException("the format '%s' is not understood".formatted(format.value().substring(at, Math.min(at + 6, format.chars()))));
            }
            out.append(format.part(from, at));
            out.append(matcher.group(1) != null ? Text.of("%") : percent(matcher, arguments.require(next++, "of a format"), rendering));
            from = matcher.end();
        }
        return out.append(format.from(from)).build();
    }

    private static Text percent(Matcher format, @Nullable Object value, Rendering rendering) {
        Text shown = switch (format.group(5)) {
            case "s" -> Values.toText(value, rendering);
            case "r" -> Values.repr(value, rendering);
            case "f" -> Text.of(fixed(Values.toDouble(value), format.group(4) == null ? 6 : Integer.parseInt(format.group(4))));
            default -> Text.of(Long.toString(value instanceof Double d ? d.longValue() : Values.requireInteger(value)));
        };
        int width = format.group(3).isEmpty() ? 0 : Integer.parseInt(format.group(3));
        String fill = (format.group(2).isEmpty() ? " " : "0").repeat(Math.max(0, width - shown.length()));
        return rendering.text().append(fill).append(shown).build();
    }

    private static String fixed(double value, int digits) {
        return Double.isFinite(value) ? new BigDecimal(value).setScale(digits, RoundingMode.HALF_EVEN).toPlainString() : Values.ofDouble(value);
    }

    /** {@code format.format(arguments)}. */
    static Text braces(Text format, Arguments arguments, Rendering rendering) {
        TextBuilder out = rendering.text();
        Matcher matcher = BRACES.matcher(format.value());
        int from = 0;
        int next = 0;
        for (int at = brace(format, 0); at >= 0; at = brace(format, from)) {
            if (!matcher.region(at, format.chars()).lookingAt()) {
                throw new JinjaException("the format '%s' is not understood".formatted(format.value().substring(at, Math.min(at + 12, format.chars()))));
            }
            out.append(format.part(from, at));
            from = matcher.end();
            if (matcher.group(1) == null) {
                out.append(matcher.group().substring(1));
                continue;
            }
            String field = matcher.group(1);
            Object value = field.isEmpty() ? arguments.require(next++, "of a format")
                    : field.matches("\\d{1,3}") ? arguments.require(Integer.parseInt(field), "of a format") : arguments.require(Integer.MAX_VALUE, field);
            out.append(matcher.group(2) == null ? Values.toText(value, rendering) : Values.repr(value, rendering));
        }
        return out.append(format.from(from)).build();
    }

    private static int brace(Text format, int from) {
        for (int i = from; i < format.chars(); i++) {
            if (format.value().charAt(i) == '{' || format.value().charAt(i) == '}') {
                return i;
            }
        }
        return -1;
    }

    /** {@code strftime}, in English. */
    static Text time(LocalDateTime time, String format) {
        StringBuilder out = new StringBuilder();
        for (int i = 0; i < format.length(); i++) {
            char c = format.charAt(i);
            if (c != '%' || i + 1 == format.length()) {
                out.append(c);
                continue;
            }
            char directive = format.charAt(++i);
            boolean unpadded = directive == '-' && i + 1 < format.length();
            String shown = directive(time, unpadded ? format.charAt(++i) : directive);
            out.append(unpadded ? shown.replaceFirst("^0(?=\\d)", "") : shown);
        }
        return Text.of(out.toString());
    }

    private static String directive(LocalDateTime time, char directive) {
        String pattern = switch (directive) {
            case 'Y' -> "uuuu";
            case 'y' -> "uu";
            case 'm' -> "MM";
            case 'd' -> "dd";
            case 'e' -> "ppd";
            case 'B' -> "MMMM";
            case 'b', 'h' -> "MMM";
            case 'A' -> "EEEE";
            case 'a' -> "EEE";
            case 'H' -> "HH";
            case 'I' -> "hh";
            case 'M' -> "mm";
            case 'S' -> "ss";
            case 'p' -> "a";
            case 'j' -> "DDD";
            case 'F' -> "uuuu-MM-dd";
            case 'T' -> "HH:mm:ss";
            case 'D' -> "MM/dd/uu";
            case 'R' -> "HH:mm";
            case '%' -> "'%'";
            default -> throw new JinjaException("the format '%%%s' of a time is not understood".formatted(directive));
        };
        return DateTimeFormatter.ofPattern(pattern, Locale.ENGLISH).format(time);
    }
}
