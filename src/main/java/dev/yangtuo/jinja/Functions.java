package dev.yangtuo.jinja;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The functions that every template can call. */
final class Functions {
    /** As in jinja2's sandbox. */
    private static final int MAX_RANGE = 100_000;

    private Functions() {}

    static void define(Scope scope) {
        scope.set("range", (Callable) Functions::range);
        scope.set("dict", (Callable) (arguments, rendering) -> dictionary(arguments, rendering.budget()));
        scope.set("namespace", (Callable) (arguments, rendering) -> namespace(arguments, rendering.budget()));
        scope.set("raise_exception", (Callable) (arguments, rendering) -> {
            throw JinjaException.raisedByTemplate(Values.toText(arguments.require(0, "message"), rendering).value());
        });
        scope.set("strftime_now", (Callable) (arguments, rendering) -> Formats.time(rendering.now(), arguments.text(0, "format").value()));
    }

    private static List<@Nullable Object> range(Arguments arguments, Rendering rendering) {
        boolean one = arguments.positional().size() == 1;
        long from = one ? 0 : Values.requireInteger(arguments.require(0, "start"));
        long to = Values.requireInteger(arguments.require(one ? 0 : 1, "stop"));
        long step = arguments.integer(2, "step", 1);
        if (step == 0) {
            throw new JinjaException("the step of a range is 0");
        }
        List<@Nullable Object> numbers = new ArrayList<>();
        for (long i = from; step > 0 ? i < to : i > to; i += step) {
            if (numbers.size() == MAX_RANGE) {
                throw new JinjaException("a range has more than %,d numbers".formatted(MAX_RANGE));
            }
            rendering.budget().spendElements(1);
            numbers.add(i);
        }
        return numbers;
    }

    private static Map<@Nullable Object, @Nullable Object> dictionary(Arguments arguments, Budget budget) {
        Map<@Nullable Object, @Nullable Object> map = new LinkedHashMap<>();
        if (!arguments.positional().isEmpty()) {
            if (!(arguments.positional().getFirst() instanceof Map<?, ?> given)) {
                throw new JinjaException("a dictionary is made of another one, or of names with values");
            }
            map.putAll(given);
        }
        arguments.named().forEach((name, value) -> map.put(Text.of(name), value));
        budget.spendElements(map.size());
        return map;
    }

    private static Namespace namespace(Arguments arguments, Budget budget) {
        Namespace namespace = new Namespace();
        dictionary(arguments, budget).forEach((name, value) -> namespace.set(Values.requireText(name).value(), value));
        return namespace;
    }
}
