package dev.yangtuo.jinja;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What {@code namespace(...)} makes: values that can be set from within loops. */
final class Namespace {
    private final Map<String, @Nullable Object> values = new HashMap<>();

    @Nullable Object get(String name) {
        return values.containsKey(name) ? values.get(name) : new Undefined("the namespace has no '%s'".formatted(name));
    }

    void set(String name, @Nullable Object value) {
        values.put(name, value);
    }
}
