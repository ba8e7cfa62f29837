package dev.yangtuo.jinja;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What is in values: attributes, methods, items, slices. Nothing of Java is among them. */
final class Members {
    private Members() {}

    /** What is looked for in a string, or made of parts of it, costs its length. */
    static void spend(@Nullable Object of, Budget budget) {
        if (of instanceof Text text) {
            budget.spendChars(text.chars());
        }
    }

    /** {@code of.name}: a method or an attribute, else an item. */
    static @Nullable Object attribute(@Nullable Object of, String name, Budget budget) {
        Object member = member(of, name, budget);
        if (!(member instanceof Undefined)) {
            return member;
        }
        if (of instanceof Map<?, ?> map && map.containsKey(Text.of(name))) {
            return map.get(Text.of(name));
        }
        return name.startsWith("__") ? new Undefined("access to '%s' is not allowed".formatted(name)) : member;
    }

    /** A method or an attribute. */
    static @Nullable Object member(@Nullable Object of, String name, Budget budget) {
        spend(of, budget);
        return switch (of) {
            case Undefined undefined -> throw undefined.used();
            case Loop loop -> loop.get(name);
            case Namespace namespace -> namespace.get(name);
            case Text text -> orUndefined(TextMethods.find(text, name), of, name);
            case Map<?, ?> map -> orUndefined(ContainerMethods.find(map, name), of, name);
            case List<?> list -> orUndefined(ContainerMethods.find(list, name), of, name);
            case null, default -> orUndefined(null, of, name);
        };
    }

    private static Object orUndefined(@Nullable Callable method, @Nullable Object of, String name) {
        return method == null ? new Undefined("%s has no '%s'".formatted(Values.typeName(of), name)) : method;
    }

    /** {@code of[index]}: an item, else, of a string, a method or an attribute. */
    static @Nullable Object item(@Nullable Object of, @Nullable Object index, Budget budget) {
        spend(of, budget);
        if (of instanceof Undefined undefined) {
            throw undefined.used();
        }
        if (of instanceof Map<?, ?> map && Values.isKey(index) && map.containsKey(index)) {
            return map.get(index);
        }
        if (Values.isInteger(index) && (of instanceof List || of instanceof Text)) {
            long size = Values.length(of);
            long at = Values.requireInteger(index);
            at += at < 0 ? size : 0;
            if (at < 0 || at >= size) {
                return new Undefined("there is no item %d of %d".formatted(Values.requireInteger(index), size));
            }
            return of instanceof Text text ? text.codePoint((int) at) : ((List<?>) of).get((int) at);
        }
        return index instanceof Text name ? member(of, name.value(), budget) : new Undefined("%s has no such item".formatted(Values.typeName(of)));
    }

    /** {@code of[start:stop:step]} with Python's rules for what is missing, negative or outside. */
    static Object slice(@Nullable Object of, @Nullable Long start, @Nullable Long stop, @Nullable Long step, Rendering rendering) {
        spend(of, rendering.budget());
        if (of instanceof Undefined undefined) {
            throw undefined.used();
        }
        if (!(of instanceof List || of instanceof Text)) {
            throw new JinjaException("%s has no slices".formatted(Values.typeName(of)));
        }
        long by = step == null ? 1 : step;
        if (by == 0) {
            throw new JinjaException("the step of a slice is 0");
        }
        int size = (int) Values.length(of);
        int from = bound(start, size, by, by > 0 ? 0 : size - 1);
        int to = bound(stop, size, by, by > 0 ? size : -1);
        if (by == 1) {
            int end = Math.max(from, to);
            return of instanceof Text text ? text.codePoints(from, end) : part((List<?>) of, from, end);
        }
        List<? extends @Nullable Object> elements = Values.elements(of, rendering.budget());
        List<@Nullable Object> chosen = new ArrayList<>();
        for (long i = from; by > 0 ? i < to : i > to; i += by) {
            rendering.budget().spendElements(1);
            chosen.add(elements.get((int) i));
        }
        if (of instanceof Text) {
            TextBuilder out = rendering.text();
            chosen.forEach(character -> out.append(Values.requireText(character)));
            return out.build();
        }
        return of instanceof Tuple ? new Tuple(chosen) : chosen;
    }

    private static int bound(@Nullable Long bound, int size, long step, int otherwise) {
        if (bound == null) {
            return otherwise;
        }
        long at = bound < 0 ? bound + size : bound;
        return Math.clamp(at, step > 0 ? 0 : -1, step > 0 ? size : size - 1);
    }

    private static List<?> part(List<?> list, int from, int to) {
        List<?> part = list.subList(from, to);
        return list instanceof Tuple ? new Tuple(new ArrayList<@Nullable Object>(part)) : part;
    }
}
