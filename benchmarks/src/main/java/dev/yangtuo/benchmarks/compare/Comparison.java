package dev.yangtuo.benchmarks.compare;

import dev.yangtuo.bench.BenchTest;
import dev.yangtuo.bench.Samples;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** What has been measured so far: a row for each file and test, a cell in it for each competitor. The first competitor is the one that the others are held against. */
final class Comparison {
    private final List<String> names;
    private final List<Row> rows = new ArrayList<>();
    private final Map<String, String> versions = new LinkedHashMap<>();
    private final Map<String, String> facts = new LinkedHashMap<>();
    /** Of the machine, by name; measured anew in every run. */
    private final Map<String, List<Double>> ceilings = new LinkedHashMap<>();

    /** @param names of the competitors, ours first */
    Comparison(List<String> names) {
        this.names = List.copyOf(names);
    }

    /** A file and a test. */
    static final class Row {
        private final String model;
        private final BenchTest test;
        private final Map<String, Cell> cells = new LinkedHashMap<>();

        private Row(String model, BenchTest test) {
            this.model = model;
            this.test = test;
        }

        /** {@return the file's name} */
        String model() {
            return model;
        }

        BenchTest test() {
            return test;
        }

        /** {@return what is known of a competitor; null before its first run} */
        @Nullable Cell cell(String name) {
            return cells.get(name);
        }

        /** {@return its speeds; null if there are none} */
        @Nullable Samples samples(String name) {
            Cell cell = cells.get(name);
            return cell == null || cell.tokensPerSecond.isEmpty() ? null : new Samples(cell.tokensPerSecond);
        }

        /** {@return our median divided by its median; NaN if one is missing} */
        double ratio(String ours, String name) {
            Samples own = samples(ours);
            Samples other = samples(name);
            return own == null || other == null ? Double.NaN : own.median() / other.median();
        }

        /** {@return the median of a number that a competitor measured beside; NaN if it did not} */
        double number(String name, String key) {
            Cell cell = cells.get(name);
            List<Double> values = cell == null ? List.of() : cell.numbers.getOrDefault(key, List.of());
            return values.isEmpty() ? Double.NaN : new Samples(values).median();
        }
    }

    /** A competitor in a row. */
    static final class Cell {
        private final List<Double> tokensPerSecond = new ArrayList<>();
        private final Map<String, List<Double>> numbers = new LinkedHashMap<>();
        private @Nullable List<String> command;
        private @Nullable String failure;

        /** {@return why it could not be measured, or null} */
        @Nullable String failure() {
            return failure;
        }

        /** {@return the command line; null if there is no program} */
        @Nullable List<String> command() {
            return command;
        }
    }

    List<String> names() {
        return names;
    }

    List<Row> rows() {
        return rows;
    }

    /** {@return the competitors that ours is held against} */
    List<String> peers() {
        return names.subList(1, names.size());
    }

    String ours() {
        return names.getFirst();
    }

    /** {@return what a competitor said of its version, or an empty text} */
    String version(String name) {
        return versions.getOrDefault(name, "");
    }

    /** {@return a fact about the machine, or an empty text} */
    String fact(String key) {
        return facts.getOrDefault(key, "");
    }

    /** {@return the median of a ceiling of the machine over all runs; NaN if it was not measured} */
    double ceiling(String key) {
        List<Double> values = ceilings.getOrDefault(key, List.of());
        return values.isEmpty() ? Double.NaN : new Samples(values).median();
    }

    Row addRow(String model, BenchTest test) {
        Row row = new Row(model, test);
        rows.add(row);
        return row;
    }

    void add(Row row, String name, List<String> command, ProgramOutput output) {
        Cell cell = row.cells.computeIfAbsent(name, _ -> new Cell());
        cell.command = command;
        cell.tokensPerSecond.addAll(output.tokensPerSecond());
        output.numbers().forEach((key, value) -> Stream.of(cell.numbers, ceilings)
                .forEach(map -> map.computeIfAbsent(key, _ -> new ArrayList<>()).add(value)));
        String version = output.facts().getOrDefault("version", "");
        if (!version.isEmpty()) {
            versions.put(name, version);
        }
        if (name.equals(ours())) {
            facts.putAll(output.facts());
        }
    }

    void fail(Row row, String name, @Nullable List<String> command, String failure) {
        Cell cell = row.cells.computeIfAbsent(name, _ -> new Cell());
        cell.command = command;
        cell.failure = failure;
    }
}
