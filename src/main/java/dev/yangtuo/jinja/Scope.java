package dev.yangtuo.jinja;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Names and what they stand for; those of the scopes around it are seen, but not set. */
final class Scope {
    private final @Nullable Scope around;
    private final Map<String, @Nullable Object> values = new HashMap<>();

    Scope(@Nullable Scope around) {
        this.around = around;
    }

    @Nullable Object get(String name) {
        for (Scope scope = this; scope != null; scope = scope.around) {
            if (scope.values.containsKey(name)) {
                return scope.values.get(name);
            }
        }
        return new Undefined("'%s' is undefined".formatted(name));
    }

    void set(String name, @Nullable Object value) {
        values.put(name, value);
    }
}
