package dev.yangtuo.jinja;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** jinja2's filters of lists and dictionaries. Where Python makes a generator, this is a list. */
final class ListFilters {
    private ListFilters() {}

    static @Nullable Object apply(String name, @Nullable Object value, Arguments arguments, Rendering rendering) {
        Budget budget = rendering.budget();
        return switch (name) {
            case "items" -> value instanceof Map<?, ?> map ? ContainerMethods.items(map, budget) : requireUndefined(value);
            case "dictsort" -> dictionarySorted(value, arguments, budget);
            case "list" -> copy(Values.elements(value, budget), budget);
            case "first", "last" -> end(value, name.equals("first"), budget);
            case "join" -> join(value, arguments, rendering);
            case "reverse" -> reversed(value, rendering);
            case "sort" -> sorted(Values.elements(value, budget), arguments, budget);
            case "unique" -> unique(Values.elements(value, budget), arguments, budget);
            case "min", "max" -> extreme(Values.elements(value, budget), name.equals("min"), arguments, budget);
            case "sum" -> sum(Values.elements(value, budget), arguments, rendering);
            case "map" -> map(elementsOrNone(value, budget), arguments, rendering);
            case "select", "reject" -> filtered(elementsOrNone(value, budget), test(arguments, name.equals("select"), budget), budget);
            case "selectattr", "rejectattr" -> {
                Function<@Nullable Object, @Nullable Object> attribute = attribute(arguments.require(0, "attribute"), budget);
                Predicate<@Nullable Object> test = test(arguments.from(1), name.equals("selectattr"), budget);
                yield filtered(elementsOrNone(value, budget), element -> test.test(attribute.apply(element)), budget);
            }
            case "groupby" -> grouped(Values.elements(value, budget), arguments, budget);
            case "batch" -> batches(Values.elements(value, budget), arguments, budget);
            default -> throw new JinjaException("the filter '%s' is not known".formatted(name));
        };
    }

    /** These filters make nothing of whatever is false, None for one. */
    private static List<? extends @Nullable Object> elementsOrNone(@Nullable Object value, Budget budget) {
        return Values.isTrue(value) ? Values.elements(value, budget) : List.of();
    }

    private static List<?> requireUndefined(@Nullable Object value) {
        if (!(value instanceof Undefined)) {
            throw new JinjaException("'items' needs a dictionary, found %s".formatted(Values.typeName(value)));
        }
        return List.of();
    }

    private static List<@Nullable Object> copy(List<? extends @Nullable Object> elements, Budget budget) {
        budget.spendElements(elements.size());
        return new ArrayList<>(elements);
    }

    private static @Nullable Object end(@Nullable Object value, boolean first, Budget budget) {
        List<? extends @Nullable Object> elements = Values.elements(value, budget);
        return elements.isEmpty() ? new Undefined("there is no %s element".formatted(first ? "first" : "last")) : first ? elements.getFirst() : elements.getLast();
    }

    private static Text join(@Nullable Object value, Arguments arguments, Rendering rendering) {
        List<? extends @Nullable Object> elements = Values.elements(value, rendering.budget());
        Function<@Nullable Object, @Nullable Object> attribute = attribute(arguments.get(1, "attribute", null), rendering.budget());
        List<Text> texts = new ArrayList<>(elements.size());
        elements.forEach(element -> texts.add(Values.toText(attribute.apply(element), rendering)));
        return TextMethods.join(Values.toText(arguments.get(0, "d", Text.EMPTY), rendering), texts, rendering);
    }

    private static Object reversed(@Nullable Object value, Rendering rendering) {
        if (value instanceof Text text) {
            TextBuilder out = rendering.text();
            Values.elements(text, rendering.budget()).reversed().forEach(character -> out.append(Values.requireText(character)));
            return out.build();
        }
        return copy(Values.elements(value, rendering.budget()).reversed(), rendering.budget());
    }

    /** What an attribute of an element is, at the end of a path with dots; the element itself without one. */
    private static Function<@Nullable Object, @Nullable Object> attribute(@Nullable Object path, Budget budget) {
        return attribute(path, null, budget);
    }

    /** @param otherwise takes the place of what is undefined on the way; null for nothing */
    private static Function<@Nullable Object, @Nullable Object> attribute(@Nullable Object path, @Nullable Object otherwise, Budget budget) {
        if (path == null) {
            return element -> element;
        }
        if (path instanceof Long index) {
            return element -> Members.item(element, index, budget);
        }
        String[] names = Values.requireText(path).value().split("\\.", -1);
        return element -> {
            Object value = element;
            for (String name : names) {
                value = Members.item(value, name.matches("\\d{1,9}") ? (Object) Long.valueOf(name) : Text.of(name), budget);
                value = value instanceof Undefined && otherwise != null ? otherwise : value;
            }
            return value;
        };
    }

    /** Of elements, or of their attribute; strings without regard to case unless it is asked for. */
    private static Comparator<@Nullable Object> order(@Nullable Object attribute, boolean caseSensitive, Budget budget) {
        Function<@Nullable Object, @Nullable Object> of = attribute(attribute, budget);
        return (a, b) -> Values.compare(folded(of.apply(a), caseSensitive), folded(of.apply(b), caseSensitive), budget);
    }

    private static @Nullable Object folded(@Nullable Object value, boolean caseSensitive) {
        return value instanceof Text text && !caseSensitive ? Text.of(text.value().toLowerCase(Locale.ROOT)) : value;
    }

    private static List<@Nullable Object> sorted(List<? extends @Nullable Object> elements, Arguments arguments, Budget budget) {
        Comparator<@Nullable Object> order = order(arguments.get(2, "attribute", null), arguments.flag(1, "case_sensitive", false), budget);
        return sorted(elements, order, arguments.flag(0, "reverse", false), budget);
    }

    /** Equal elements keep their order, also in reverse, as in Python. */
    private static List<@Nullable Object> sorted(List<? extends @Nullable Object> elements, Comparator<@Nullable Object> order, boolean reverse, Budget budget) {
        List<@Nullable Object> sorted = copy(elements, budget);
        sorted.sort(reverse ? order.reversed() : order);
        return sorted;
    }

    private static List<@Nullable Object> dictionarySorted(@Nullable Object value, Arguments arguments, Budget budget) {
        if (!(value instanceof Map<?, ?> map)) {
            throw new JinjaException("'dictsort' needs a dictionary, found %s".formatted(Values.typeName(value)));
        }
        long part = arguments.text(1, "by", "key").value().equals("value") ? 1 : 0;
        return sorted(ContainerMethods.items(map, budget), order(part, arguments.flag(0, "case_sensitive", false), budget), arguments.flag(2, "reverse", false), budget);
    }

    private static List<@Nullable Object> unique(List<? extends @Nullable Object> elements, Arguments arguments, Budget budget) {
        Function<@Nullable Object, @Nullable Object> attribute = attribute(arguments.get(1, "attribute", null), budget);
        boolean caseSensitive = arguments.flag(0, "case_sensitive", false);
        List<@Nullable Object> seen = new ArrayList<>();
        return filtered(elements, element -> {
            Object key = folded(attribute.apply(element), caseSensitive);
            boolean isNew = seen.stream().noneMatch(other -> Values.areEqual(other, key, budget));
            if (isNew) {
                seen.add(key);
            }
            return isNew;
        }, budget);
    }

    private static @Nullable Object extreme(List<? extends @Nullable Object> elements, boolean least, Arguments arguments, Budget budget) {
        Comparator<@Nullable Object> order = order(arguments.get(1, "attribute", null), arguments.flag(0, "case_sensitive", false), budget);
        List<@Nullable Object> all = copy(elements, budget);
        return all.isEmpty() ? new Undefined("there are no elements") : least ? Collections.min(all, order) : Collections.max(all, order);
    }

    private static @Nullable Object sum(List<? extends @Nullable Object> elements, Arguments arguments, Rendering rendering) {
        Function<@Nullable Object, @Nullable Object> attribute = attribute(arguments.get(0, "attribute", null), rendering.budget());
        Object sum = arguments.get(1, "start", 0L);
        for (Object element : elements) {
            rendering.budget().step();
            sum = Arithmetic.apply("+", sum, attribute.apply(element), rendering);
        }
        return sum;
    }

    private static List<@Nullable Object> map(List<? extends @Nullable Object> elements, Arguments arguments, Rendering rendering) {
        Function<@Nullable Object, @Nullable Object> mapping;
        if (arguments.named().containsKey("attribute")) {
            mapping = attribute(arguments.named().get("attribute"), arguments.named().get("default"), rendering.budget());
        } else {
            String filter = arguments.text(0, "filter").value();
            mapping = element -> Filters.apply(filter, element, arguments.from(1), rendering);
        }
        rendering.budget().spendElements(elements.size());
        List<@Nullable Object> mapped = new ArrayList<>(elements.size());
        elements.forEach(element -> mapped.add(mapping.apply(element)));
        return mapped;
    }

    /** The test that arguments name, whether something is true where they name none. */
    private static Predicate<@Nullable Object> test(Arguments arguments, boolean expected, Budget budget) {
        if (arguments.positional().isEmpty()) {
            return element -> Values.isTrue(element) == expected;
        }
        String name = arguments.text(0, "test").value();
        return element -> Tests.apply(name, element, arguments.from(1), budget) == expected;
    }

    private static List<@Nullable Object> filtered(List<? extends @Nullable Object> elements, Predicate<@Nullable Object> test, Budget budget) {
        budget.spendElements(elements.size());
        List<@Nullable Object> kept = new ArrayList<>();
        for (Object element : elements) {
            if (test.test(element)) {
                kept.add(element);
            }
        }
        return kept;
    }

    private static List<Tuple> grouped(List<? extends @Nullable Object> elements, Arguments arguments, Budget budget) {
        Object path = arguments.require(0, "attribute");
        Function<@Nullable Object, @Nullable Object> attribute = attribute(path, budget);
        List<@Nullable Object> sorted = sorted(elements, order(path, false, budget), false, budget);
        List<Tuple> groups = new ArrayList<>();
        int from = 0;
        for (int i = 1; i <= sorted.size(); i++) {
            Object key = attribute.apply(sorted.get(from));
            if (i == sorted.size() || !Values.areEqual(key, attribute.apply(sorted.get(i)), budget)) {
                groups.add(new Tuple(Arrays.asList(key, sorted.subList(from, i))));
                from = i;
            }
        }
        return groups;
    }

    private static List<List<@Nullable Object>> batches(List<? extends @Nullable Object> elements, Arguments arguments, Budget budget) {
        int size = Math.max(1, arguments.integer(0, "linecount", 1));
        Object fill = arguments.get(1, "fill_with", null);
        List<List<@Nullable Object>> batches = new ArrayList<>();
        for (int i = 0; i < elements.size(); i += size) {
            batches.add(copy(elements.subList(i, Math.min(elements.size(), i + size)), budget));
        }
        if (fill != null && !batches.isEmpty()) {
            budget.spendElements(size);
            while (batches.getLast().size() < size) {
                batches.getLast().add(fill);
            }
        }
        return batches;
    }
}
