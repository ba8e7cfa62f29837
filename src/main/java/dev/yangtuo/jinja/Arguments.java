package dev.yangtuo.jinja;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The values that a call is given.
 *
 * @param positional by place
 * @param named by name
 */
record Arguments(List<@Nullable Object> positional, Map<String, @Nullable Object> named) {
    static final Arguments NONE = new Arguments(List.of(), Map.of());

    static Arguments of(@Nullable Object... values) {
        return new Arguments(Arrays.asList(values), Map.of());
    }

    boolean has(int place, String name) {
        return place < positional.size() || named.containsKey(name);
    }

    /** The one at a place or of a name; {@code otherwise} where neither is given. */
    @Nullable Object get(int place, String name, @Nullable Object otherwise) {
        if (place < positional.size()) {
            return positional.get(place);
        }
        return named.containsKey(name) ? named.get(name) : otherwise;
    }

    @Nullable Object require(int place, String name) {
        if (!has(place, name)) {
            throw new JinjaException("the argument '%s' is missing".formatted(name));
        }
        return get(place, name, null);
    }

    Text text(int place, String name) {
        return Values.requireText(require(place, name));
    }

    Text text(int place, String name, String otherwise) {
        return has(place, name) ? text(place, name) : Text.of(otherwise);
    }

    int integer(int place, String name, int otherwise) {
        if (!has(place, name)) {
            return otherwise;
        }
        long value = Values.requireInteger(get(place, name, null));
        return Math.clamp(value, Integer.MIN_VALUE, Integer.MAX_VALUE);
    }

    boolean flag(int place, String name, boolean otherwise) {
        return has(place, name) ? Values.isTrue(get(place, name, null)) : otherwise;
    }

    /** Those from a place on. */
    Arguments from(int place) {
        return new Arguments(positional.subList(Math.min(place, positional.size()), positional.size()), named);
    }
}
