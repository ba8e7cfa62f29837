package dev.yangtuo.benchmarks.compare;

import dev.yangtuo.WeightType;
import dev.yangtuo.bench.BenchTest;
import dev.yangtuo.benchmarks.Arguments;
import dev.yangtuo.benchmarks.Checkout;
import dev.yangtuo.model.SyntheticShape;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What is to be compared.
 *
 * @param competitors ours first
 * @param models files that are there
 * @param shape of the models that are made up; used with {@code types}
 * @param types of these
 * @param ceilings in place of those that {@code yangtuo bench} measures, by the names that it gives them
 * @param tests in the order of the table
 * @param threads of all programs
 * @param rounds in which the programs take turns
 * @param repeats runs of a test in one process
 * @param output the files' name without its ending
 * @param timeoutSeconds of one process
 */
record CompareOptions(
        List<Competitor> competitors,
        List<Path> models,
        SyntheticShape shape,
        List<WeightType> types,
        Map<String, Double> ceilings,
        List<BenchTest> tests,
        int threads,
        int rounds,
        int repeats,
        Path output,
        int timeoutSeconds) {
    static final String OURS = "yangtuo";

    private static final Set<String> NAMES = Set.of("--peer", "--peer-args", "--batched-peer", "--batched-args", "--yangtuo", "--yangtuo-args", "--yangtuo-peer", "--ceiling", "--model",
            "--shape", "--types", "--tests", "--threads", "--rounds", "--repeats", "--output", "--timeout");

    static CompareOptions parse(String[] arguments) {
        Arguments options = Arguments.parse(arguments, NAMES);
        if (!options.operands().isEmpty()) {
            throw new IllegalArgumentException("'%s': expected options only; -h shows them".formatted(options.operands().getFirst()));
        }
        List<Path> models = options.all("--model").stream().map(Path::of).toList();
        for (Path model : models) {
            if (!Files.exists(model)) {
                throw new IllegalArgumentException("--model %s: there is no such file".formatted(model));
            }
        }
        List<WeightType> types = models.isEmpty() || !options.all("--types").isEmpty()
                ? Arrays.stream(options.option("--types", "q4_0").split(",")).map(String::strip).map(WeightType::of).toList()
                : List.of();
        return new CompareOptions(
                competitors(options),
                models,
                SyntheticShape.of(options.option("--shape", "1b")),
                types,
                ceilings(options),
                TestNames.parse(options.option("--tests", "pp512,tg128")),
                options.count("--threads", Runtime.getRuntime().availableProcessors()),
                options.count("--rounds", 3),
                options.count("--repeats", 3),
                Path.of(options.option("--output", Checkout.target("compare").toString())).toAbsolutePath(),
                options.count("--timeout", 1800));
    }

    private static List<Competitor> competitors(Arguments options) {
        Map<String, Path> single = paths(options, "--peer");
        Map<String, Path> batched = paths(options, "--batched-peer");
        Map<String, List<String>> singleArguments = words(options, "--peer-args", single.keySet());
        Map<String, List<String>> batchedArguments = words(options, "--batched-args", batched.keySet());
        Path launcher = options.all("--yangtuo").isEmpty() ? Checkout.file("yangtuo") : Path.of(options.all("--yangtuo").getLast());
        Program own = new Program(Program.Kind.YANGTUO, launcher, split(options.option("--yangtuo-args", "")));
        List<Competitor> competitors = new ArrayList<>(List.of(new Competitor(OURS, own, own)));
        Set<String> names = new LinkedHashSet<>(single.keySet());
        names.addAll(batched.keySet());
        named(options, "--yangtuo-peer").forEach((name, arguments) -> {
            if (name.equals(OURS) || names.contains(name)) {
                throw new IllegalArgumentException("--yangtuo-peer %s=...: the name is taken".formatted(name));
            }
            Program peer = new Program(Program.Kind.YANGTUO, launcher, split(arguments));
            competitors.add(new Competitor(name, peer, peer));
        });
        for (String name : names) {
            Path one = single.get(name);
            Path many = batched.get(name);
            competitors.add(new Competitor(
                    name,
                    one == null ? null : new Program(Program.Kind.LLAMA_BENCH, one, singleArguments.getOrDefault(name, List.of())),
                    many == null ? null : new Program(Program.Kind.LLAMA_BATCHED_BENCH, many, batchedArguments.getOrDefault(name, List.of()))));
        }
        return competitors;
    }

    private static Map<String, Double> ceilings(Arguments options) {
        Map<String, Double> ceilings = new LinkedHashMap<>();
        named(options, "--ceiling").forEach((name, text) -> {
            if (!ProgramOutput.CEILINGS.contains(name)) {
                throw new IllegalArgumentException("--ceiling %s=...: there is no such ceiling; there are %s".formatted(name, ProgramOutput.CEILINGS));
            }
            if (!text.matches("[0-9]{1,9}(\\.[0-9]{1,9})?") || Double.parseDouble(text) == 0) {
                throw new IllegalArgumentException("--ceiling %s=%s: expected a number above 0".formatted(name, text));
            }
            ceilings.put(name, Double.valueOf(text));
        });
        return ceilings;
    }

    private static Map<String, Path> paths(Arguments options, String option) {
        Map<String, Path> paths = new LinkedHashMap<>();
        named(options, option).forEach((name, path) -> {
            if (name.equals(OURS)) {
                throw new IllegalArgumentException("%s %s=...: that is our own name".formatted(option, OURS));
            }
            paths.put(name, Path.of(path));
        });
        return paths;
    }

    private static Map<String, List<String>> words(Arguments options, String option, Set<String> known) {
        Map<String, List<String>> words = new LinkedHashMap<>();
        named(options, option).forEach((name, text) -> {
            if (!known.contains(name)) {
                throw new IllegalArgumentException("%s %s=...: there is no program of that name; there are %s".formatted(option, name, known));
            }
            words.put(name, split(text));
        });
        return words;
    }

    /** {@code NAME=VALUE}, several times. */
    private static Map<String, String> named(Arguments options, String option) {
        Map<String, String> values = new LinkedHashMap<>();
        for (String text : options.all(option)) {
            int equals = text.indexOf('=');
            if (equals < 1 || equals == text.length() - 1) {
                throw new IllegalArgumentException("%s %s: expected NAME=VALUE".formatted(option, text));
            }
            if (values.put(text.substring(0, equals), text.substring(equals + 1)) != null) {
                throw new IllegalArgumentException("%s %s: the name is given twice".formatted(option, text));
            }
        }
        return values;
    }

    private static List<String> split(String text) {
        return text.isBlank() ? List.of() : List.of(text.strip().split("\\s+"));
    }
}
