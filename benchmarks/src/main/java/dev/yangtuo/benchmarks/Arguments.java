package dev.yangtuo.benchmarks;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * Command line of a program: options with a value each, or none, then operands.
 *
 * @param options by name, {@code --model} for instance; an option may be given several times; without values if it takes none
 * @param operands the rest
 */
public record Arguments(Map<String, List<String>> options, List<String> operands) {
    /**
     * {@return them, sorted}
     *
     * @param known the names of options
     * @throws IllegalArgumentException if an option is not known or has no value
     */
    public static Arguments parse(String[] arguments, Set<String> known) {
        return parse(arguments, known, Set.of());
    }

    /**
     * {@return them, sorted}
     *
     * @param known the names of options
     * @param flags the names of options without a value
     * @throws IllegalArgumentException if an option is not known or has no value
     */
    public static Arguments parse(String[] arguments, Set<String> known, Set<String> flags) {
        Map<String, List<String>> options = new HashMap<>();
        List<String> operands = new ArrayList<>();
        for (int i = 0; i < arguments.length; i++) {
            if (!arguments[i].startsWith("--")) {
                operands.add(arguments[i]);
            } else if (flags.contains(arguments[i])) {
                options.put(arguments[i], List.of());
            } else if (known.contains(arguments[i]) && i + 1 < arguments.length) {
                options.computeIfAbsent(arguments[i], name -> new ArrayList<>()).add(arguments[++i]);
            } else {
                throw new IllegalArgumentException("%s: expected one of %s with a value after it%s"
                        .formatted(arguments[i], new TreeSet<>(known), flags.isEmpty() ? "" : ", or " + new TreeSet<>(flags)));
            }
        }
        return new Arguments(options, operands);
    }

    /** {@return the last value of an option} */
    public String option(String name, String otherwise) {
        return find(name).orElse(otherwise);
    }

    /** {@return the last value of an option, if it is given} */
    public Optional<String> find(String name) {
        List<String> values = all(name);
        return values.isEmpty() ? Optional.empty() : Optional.of(values.getLast());
    }

    /** {@return whether an option without a value is given} */
    public boolean flag(String name) {
        return options.containsKey(name);
    }

    /** {@return all values of an option, in their order} */
    public List<String> all(String name) {
        return options.getOrDefault(name, List.of());
    }

    /**
     * {@return a whole number}
     *
     * @throws IllegalArgumentException if it is none, or below 1
     */
    public int count(String name, int otherwise) {
        String value = option(name, Integer.toString(otherwise));
        if (!value.matches("[1-9][0-9]{0,6}")) {
            throw new IllegalArgumentException("%s %s: expected a number from 1 to 9999999".formatted(name, value));
        }
        return Integer.parseInt(value);
    }
}
