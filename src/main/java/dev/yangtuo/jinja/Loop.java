package dev.yangtuo.jinja;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** The variable {@code loop}. */
final class Loop {
    private final List<? extends @Nullable Object> elements;
    private int index = -1;
    private @Nullable List<@Nullable Object> lastChecked;

    Loop(List<? extends @Nullable Object> elements) {
        this.elements = elements;
    }

    void advance() {
        index++;
    }

    @Nullable Object get(String name) {
        long size = elements.size();
        return switch (name) {
            case "index" -> index + 1L;
            case "index0" -> (long) index;
            case "revindex" -> size - index;
            case "revindex0" -> size - index - 1;
            case "first" -> index == 0;
            case "last" -> index == size - 1;
            case "length" -> size;
            case "depth" -> 1L; // counts recursive loops only, which are not known here
            case "depth0" -> 0L;
            case "previtem" -> index > 0 ? elements.get(index - 1) : new Undefined("there is no previous item");
            case "nextitem" -> index < size - 1 ? elements.get(index + 1) : new Undefined("there is no next item");
            case "cycle" -> (Callable) (arguments, _) -> cycle(arguments.positional());
            case "changed" -> (Callable) (arguments, rendering) -> changed(arguments.positional(), rendering.budget());
            default -> new Undefined("'loop' has no '%s'".formatted(name));
        };
    }

    private @Nullable Object cycle(List<@Nullable Object> values) {
        if (values.isEmpty()) {
            throw new JinjaException("loop.cycle needs values");
        }
        return values.get(index % values.size());
    }

    private boolean changed(List<@Nullable Object> values, Budget budget) {
        boolean changed = lastChecked == null || !Values.areEqual(lastChecked, values, budget);
        lastChecked = values;
        return changed;
    }
}
