package dev.yangtuo.benchmarks.latency;

import dev.yangtuo.WeightType;
import dev.yangtuo.benchmarks.Arguments;
import dev.yangtuo.benchmarks.Checkout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/**
 * What the suite is asked for.
 *
 * @param engines in the order in which they take turns
 * @param measures which of all
 * @param types of the demonstration model
 * @param models GGUF files
 * @param enginePath where llama.cpp's library is; empty for where it is usually found
 * @param threads of all engines
 * @param quick whether only to see that all of it works
 * @param resume whether rows that the output has are kept
 * @param output the file of results
 */
record SuiteOptions(
        List<EngineName> engines,
        Set<Measure> measures,
        List<WeightType> types,
        List<Path> models,
        Optional<Path> enginePath,
        int threads,
        boolean quick,
        boolean resume,
        Path output) {
    private static final Set<String> NAMES = Set.of("--engines", "--engine-path", "--measures", "--types", "--model", "--threads", "--output");
    private static final Set<String> FLAGS = Set.of("--quick", "--resume");

    SuiteOptions {
        engines = List.copyOf(engines);
        types = List.copyOf(types);
        models = List.copyOf(models);
    }

    /**
     * {@return the options}
     *
     * @throws IllegalArgumentException if the arguments are not understood
     */
    static SuiteOptions parse(String[] arguments) {
        Arguments options = Arguments.parse(arguments, NAMES, FLAGS);
        if (!options.operands().isEmpty()) {
            throw new IllegalArgumentException("'%s': expected options only; --help shows them".formatted(options.operands().getFirst()));
        }
        boolean quick = options.flag("--quick");
        List<Path> models = options.all("--model").stream().map(SuiteOptions::model).toList();
        int processors = Runtime.getRuntime().availableProcessors();
        int threads = options.count("--threads", processors);
        if (threads > processors) {
            throw new IllegalArgumentException("--threads %d: there are %d processors, and Jlama takes no more".formatted(threads, processors));
        }
        return new SuiteOptions(
                EngineName.parse(options.option("--engines", "yangtuo,llama.cpp,jlama")),
                measures(options),
                types(options.option("--types", quick ? "f16" : "f16,q4_0")),
                models,
                options.find("--engine-path").map(Path::of).map(Path::toAbsolutePath),
                threads,
                quick,
                options.flag("--resume"),
                options.find("--output").map(Path::of).orElse(Checkout.results("latency.json")).toAbsolutePath());
    }

    private static Path model(String text) {
        Path file = Path.of(text).toAbsolutePath().normalize();
        if (!Files.isRegularFile(file) || !text.endsWith(".gguf")) {
            throw new IllegalArgumentException("--model %s: expected a GGUF file that is there".formatted(text));
        }
        return file;
    }

    private static Set<Measure> measures(Arguments options) {
        return options.find("--measures").map(names -> Set.copyOf(split(names).stream().map(Measure::of).toList())).orElse(Set.of(Measure.values()));
    }

    /** {@code none}: only the files are measured then. */
    private static List<WeightType> types(String names) {
        return names.equals("none") ? List.of() : split(names).stream().map(name -> WeightType.of(name.toLowerCase(Locale.ROOT))).toList();
    }

    private static List<String> split(String names) {
        return Arrays.stream(names.split(",", -1)).map(String::strip).distinct().toList();
    }
}
