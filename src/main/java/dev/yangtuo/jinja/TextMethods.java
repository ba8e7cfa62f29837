package dev.yangtuo.jinja;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.IntPredicate;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** Python's methods of strings. What is quoted stays quoted. */
final class TextMethods {
    private TextMethods() {}

    /** A method of a string, or null. */
    static @Nullable Callable find(Text text, String name) {
        return switch (name) {
            case "strip" -> (arguments, _) -> text.strip(true, true, characters(arguments));
            case "lstrip" -> (arguments, _) -> text.strip(true, false, characters(arguments));
            case "rstrip" -> (arguments, _) -> text.strip(false, true, characters(arguments));
            case "split" -> (arguments, rendering) -> split(text, arguments, rendering);
            case "rsplit" -> (arguments, rendering) -> splitFromEnd(text, arguments, rendering);
            case "splitlines" -> (arguments, rendering) -> lines(text, arguments.flag(0, "keepends", false), rendering.budget());
            case "partition" -> (arguments, _) -> partition(text, arguments.text(0, "sep"), true);
            case "rpartition" -> (arguments, _) -> partition(text, arguments.text(0, "sep"), false);
            case "startswith" -> (arguments, _) -> matches(arguments.require(0, "prefix"), text.value()::startsWith);
            case "endswith" -> (arguments, _) -> matches(arguments.require(0, "suffix"), text.value()::endsWith);
            case "removeprefix" -> (arguments, _) -> text.value().startsWith(arguments.text(0, "prefix").value()) ? text.from(arguments.text(0, "prefix").chars()) : text;
            case "removesuffix" -> (arguments, _) ->
                    text.value().endsWith(arguments.text(0, "suffix").value()) ? text.part(0, text.chars() - arguments.text(0, "suffix").chars()) : text;
            case "replace" -> (arguments, rendering) -> replace(text, arguments.text(0, "old"), arguments.text(1, "new"), arguments.integer(2, "count", -1), rendering);
            case "join" -> (arguments, rendering) -> join(text, Values.elements(arguments.require(0, "iterable"), rendering.budget()), rendering);
            case "format" -> (arguments, rendering) -> Formats.braces(text, arguments, rendering);
            case "upper", "lower", "title", "capitalize", "swapcase" -> (_, rendering) -> withCase(text, name, rendering);
            case "find" -> (arguments, _) -> codePointsBefore(text, text.value().indexOf(arguments.text(0, "sub").value()));
            case "rfind" -> (arguments, _) -> codePointsBefore(text, text.value().lastIndexOf(arguments.text(0, "sub").value()));
            case "count" -> (arguments, _) -> count(text.value(), arguments.text(0, "sub").value());
            case "zfill" -> (arguments, rendering) -> zeroFill(text, arguments.integer(0, "width", 0), rendering);
            case "ljust" -> (arguments, rendering) -> padded(text, arguments, 0, 1, rendering);
            case "rjust" -> (arguments, rendering) -> padded(text, arguments, 1, 0, rendering);
            case "center" -> (arguments, rendering) -> padded(text, arguments, 1, 1, rendering);
            case "isdigit", "isnumeric", "isdecimal" -> (_, _) -> all(text, Character::isDigit);
            case "isalpha" -> (_, _) -> all(text, Character::isLetter);
            case "isalnum" -> (_, _) -> all(text, Character::isLetterOrDigit);
            case "isspace" -> (_, _) -> all(text, Text::isSpace);
            case "isupper" -> (_, _) -> Tests.isCased(text.value(), true);
            case "islower" -> (_, _) -> Tests.isCased(text.value(), false);
            default -> null;
        };
    }

    private static boolean all(Text text, IntPredicate holds) {
        return !text.isEmpty() && text.value().codePoints().allMatch(holds);
    }

    /** The characters that a strip takes away: white space unless it says others. */
    static IntPredicate characters(Arguments arguments) {
        Object characters = arguments.get(0, "chars", null);
        return characters == null ? Text::isSpace : c -> Values.requireText(characters).value().indexOf(c) >= 0;
    }

    private static boolean matches(@Nullable Object candidates, Predicate<String> matcher) {
        return candidates instanceof Tuple several
                ? several.stream().anyMatch(candidate -> matcher.test(Values.requireText(candidate).value())) : matcher.test(Values.requireText(candidates).value());
    }

    private static long codePointsBefore(Text text, int index) {
        return index < 0 ? -1 : text.value().codePointCount(0, index);
    }

    private static long count(String text, String part) {
        if (part.isEmpty()) {
            return text.codePointCount(0, text.length()) + 1L;
        }
        long count = 0;
        for (int at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + part.length())) {
            count++;
        }
        return count;
    }

    private static List<Text> split(Text text, Arguments arguments, Rendering rendering) {
        int most = arguments.integer(1, "maxsplit", -1);
        Object separator = arguments.get(0, "sep", null);
        List<Text> parts = separator == null ? words(text, most) : split(text, Values.requireText(separator).value(), most);
        rendering.budget().spendElements(parts.size());
        return parts;
    }

    private static List<Text> words(Text text, int most) {
        List<Text> parts = new ArrayList<>();
        Text rest = text.strip(true, false, Text::isSpace);
        while (!rest.isEmpty() && (most < 0 || parts.size() < most)) {
            int end = 0;
            while (end < rest.chars() && !Text.isSpace(rest.value().charAt(end))) {
                end++;
            }
            parts.add(rest.part(0, end));
            rest = rest.from(end).strip(true, false, Text::isSpace);
        }
        if (!rest.isEmpty()) {
            parts.add(rest);
        }
        return parts;
    }

    private static List<Text> split(Text text, String separator, int most) {
        requireSeparator(separator);
        List<Text> parts = new ArrayList<>();
        int from = 0;
        for (int at = text.value().indexOf(separator); at >= 0 && (most < 0 || parts.size() < most); at = text.value().indexOf(separator, from)) {
            parts.add(text.part(from, at));
            from = at + separator.length();
        }
        parts.add(text.from(from));
        return parts;
    }

    private static void requireSeparator(String separator) {
        if (separator.isEmpty()) {
            throw new JinjaException("the separator is empty");
        }
    }

    private static List<Text> splitFromEnd(Text text, Arguments arguments, Rendering rendering) {
        String separator = arguments.text(0, "sep").value();
        int most = arguments.integer(1, "maxsplit", -1);
        requireSeparator(separator);
        List<Text> parts = new ArrayList<>();
        int to = text.chars();
        int at = text.value().lastIndexOf(separator);
        while (at >= 0 && (most < 0 || parts.size() < most)) {
            parts.addFirst(text.part(at + separator.length(), to));
            to = at;
            at = text.value().lastIndexOf(separator, at - separator.length());
        }
        parts.addFirst(text.part(0, to));
        rendering.budget().spendElements(parts.size());
        return parts;
    }

    private static Tuple partition(Text text, Text separator, boolean first) {
        requireSeparator(separator.value());
        int at = first ? text.value().indexOf(separator.value()) : text.value().lastIndexOf(separator.value());
        if (at < 0) {
            return new Tuple(first ? List.of(text, Text.EMPTY, Text.EMPTY) : List.of(Text.EMPTY, Text.EMPTY, text));
        }
        int end = at + separator.chars();
        return new Tuple(List.of(text.part(0, at), text.part(at, end), text.from(end)));
    }

    /** The lines, cut where Python cuts them. */
    static List<Text> lines(Text text, boolean keepEnds, Budget budget) {
        List<Text> lines = new ArrayList<>();
        int from = 0;
        for (int i = 0; i < text.chars(); i++) {
            char c = text.value().charAt(i);
            if (c >= '\n' && c <= '\r' || c >= 0x1C && c <= 0x1E || c == 0x85 || c == 0x2028 || c == 0x2029) {
                int end = i;
                i += c == '\r' && i + 1 < text.chars() && text.value().charAt(i + 1) == '\n' ? 1 : 0;
                lines.add(text.part(from, keepEnds ? i + 1 : end));
                from = i + 1;
            }
        }
        if (from < text.chars()) {
            lines.add(text.from(from));
        }
        budget.spendElements(lines.size());
        return lines;
    }

    /** @param most negative for all */
    static Text replace(Text text, Text old, Text with, int most, Rendering rendering) {
        TextBuilder out = rendering.text();
        int from = 0;
        int replaced = 0;
        for (int at = text.value().indexOf(old.value()); at >= 0 && (most < 0 || replaced < most); replaced++) {
            // An empty string is found before each character and at the end.
            int next = old.isEmpty() ? at + (at < text.chars() ? Character.charCount(text.value().codePointAt(at)) : 1) : at + old.chars();
            out.append(text.part(from, at)).append(with);
            from = old.isEmpty() ? at : next;
            at = next > text.chars() ? -1 : text.value().indexOf(old.value(), next);
        }
        return out.append(text.from(Math.min(from, text.chars()))).build();
    }

    static Text join(Text separator, List<? extends @Nullable Object> elements, Rendering rendering) {
        TextBuilder out = rendering.text();
        for (int i = 0; i < elements.size(); i++) {
            rendering.budget().step();
            out.append(i == 0 ? Text.EMPTY : separator).append(Values.requireText(elements.get(i)));
        }
        return out.build();
    }

    /** @param method upper, lower, title, capitalize or swapcase */
    static Text withCase(Text text, String method, Rendering rendering) {
        TextBuilder out = rendering.text();
        boolean begins = true;
        for (int i = 0; i < text.chars(); ) {
            int c = text.value().codePointAt(i);
            String character = Character.toString(c);
            boolean first = begins;
            String mapped = switch (method) {
                case "upper" -> upper(character);
                case "lower" -> lower(character);
                case "title" -> first ? title(c) : lower(character);
                case "capitalize" -> i == 0 ? title(c) : lower(character);
                default -> Character.isUpperCase(c) ? lower(character) : upper(character);
            };
            out.append(mapped, text, i);
            begins = !Character.isLetter(c);
            i += Character.charCount(c);
        }
        return out.build();
    }

    private static String upper(String character) {
        return character.toUpperCase(Locale.ROOT);
    }

    private static String lower(String character) {
        return character.toLowerCase(Locale.ROOT);
    }

    private static String title(int c) {
        return Character.toString(Character.toTitleCase(c));
    }

    private static Text zeroFill(Text text, int width, Rendering rendering) {
        int sign = text.value().startsWith("-") || text.value().startsWith("+") ? 1 : 0;
        return rendering.text().append(text.part(0, sign)).append(spaces("0", (long) width - text.length(), rendering)).append(text.from(sign)).build();
    }

    private static Text padded(Text text, Arguments arguments, int left, int right, Rendering rendering) {
        String fill = arguments.text(1, "fillchar", " ").value();
        long missing = Math.max(0, (long) arguments.integer(0, "width", 0) - text.length());
        // Python's center puts what is odd to the left if the width is odd.
        long before = right == 0 ? missing : left == 0 ? 0 : missing / 2 + (missing & arguments.integer(0, "width", 0) & 1);
        return rendering.text().append(spaces(fill, before, rendering)).append(text).append(spaces(fill, missing - before, rendering)).build();
    }

    private static String spaces(String fill, long count, Rendering rendering) {
        rendering.budget().spendChars(Math.max(0, count));
        return fill.repeat((int) Math.max(0, count));
    }
}
