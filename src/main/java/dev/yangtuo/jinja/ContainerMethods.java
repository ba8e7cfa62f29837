package dev.yangtuo.jinja;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Methods of lists and dictionaries. Those that would change one are refused, as in jinja2's immutable sandbox. */
final class ContainerMethods {
    private static final Set<String> CHANGING = Set.of("append", "extend", "insert", "pop", "remove", "sort", "reverse", "clear", "update", "setdefault", "popitem");

    private ContainerMethods() {}

    private static @Nullable Callable refused(String name) {
        if (!CHANGING.contains(name)) {
            return null;
        }
        return (_, _) -> {
            throw new JinjaException("'%s' would change a value, which templates may not".formatted(name));
        };
    }

    /** A method of a list, or null. */
    static @Nullable Callable find(List<?> list, String name) {
        return switch (name) {
            case "index" -> (arguments, rendering) -> index(list, arguments.require(0, "value"), rendering.budget());
            case "count" -> (arguments, rendering) ->
                    list.stream().filter(element -> Values.areEqual(element, arguments.require(0, "value"), rendering.budget())).count();
            case "copy" -> (_, _) -> list;
            default -> refused(name);
        };
    }

    private static long index(List<?> list, @Nullable Object value, Budget budget) {
        for (int i = 0; i < list.size(); i++) {
            if (Values.areEqual(list.get(i), value, budget)) {
                return i;
            }
        }
        throw new JinjaException("the value is not in the list");
    }

    /** A method of a dictionary, or null. */
    static @Nullable Callable find(Map<?, ?> map, String name) {
        return switch (name) {
            case "get" -> (arguments, _) -> {
                Object key = arguments.require(0, "key");
                return Values.isKey(key) && map.containsKey(key) ? map.get(key) : arguments.get(1, "default", null);
            };
            case "items" -> (_, rendering) -> items(map, rendering.budget());
            case "keys" -> (_, rendering) -> Values.elements(map, rendering.budget());
            case "values" -> (_, rendering) -> {
                rendering.budget().spendElements(map.size());
                return new ArrayList<@Nullable Object>(map.values());
            };
            case "copy" -> (_, _) -> map; // nobody can change it
            default -> refused(name);
        };
    }

    /** Keys with their values. */
    static List<Tuple> items(Map<?, ?> map, Budget budget) {
        budget.spendElements(3L * map.size());
        List<Tuple> items = new ArrayList<>();
        map.forEach((key, value) -> {
            List<@Nullable Object> pair = new ArrayList<>(2);
            pair.add(key);
            pair.add(value);
            items.add(new Tuple(pair));
        });
        return items;
    }
}
