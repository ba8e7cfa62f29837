package dev.yangtuo.cli;

import com.sun.management.OperatingSystemMXBean;
import dev.yangtuo.BackendType;
import dev.yangtuo.KvType;
import dev.yangtuo.LoadOptions;
import dev.yangtuo.bench.BenchReport;
import dev.yangtuo.bench.BenchTest;
import dev.yangtuo.bench.Benchmark;
import dev.yangtuo.bench.Machine;
import dev.yangtuo.bench.TestResult;
import dev.yangtuo.exception.NativeLibraryException;
import dev.yangtuo.exception.YangtuoException;
import dev.yangtuo.kernel.Ceilings;
import dev.yangtuo.model.LoadedModel;
import dev.yangtuo.model.Model;
import dev.yangtuo.model.ModelConfig;
import dev.yangtuo.model.ModelLoader;
import java.io.IOException;
import java.io.PrintWriter;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Measures how fast a model is, next to what the machine could do at most. */
@Command(
        name = "bench",
        mixinStandardHelpOptions = true,
        description = {
            "Measures tokens per second, in the manner of llama-bench: pp512 computes a prompt of 512 tokens, tg128 generates 128, pp512@d3500 does so"
                    + " after 3500 others, tg128 x8 generates in eight sequences together.",
            "The machine's read bandwidth and its peaks of int8 and float32 arithmetic are measured in the same run with the same threads."
        },
        footer = {
            "",
            "Tokens are random, logits are computed for the last position, nothing is sampled. Nothing else may run on the machine meanwhile.",
            "docs/benchmarking.md says what counts as bytes and as operations, and describes the object of --json."
        })
final class BenchCommand implements Callable<Integer>, Verbose {
    private static final int INTERRUPTED = 130;

    @Spec
    private CommandSpec spec;

    @Mixin
    private BenchModelOptions model;

    @Mixin
    private BenchTestOptions tests;

    @Option(names = {"-t", "--threads"}, paramLabel = "N", description = "Threads that compute. Default: all processors.")
    private @Nullable Integer threads;

    @Option(names = "--kv-type", paramLabel = "TYPE", defaultValue = "f16", description = "Keep keys and values as f16 or f32. Default: ${DEFAULT-VALUE}.")
    private KvType kvType;

    @Option(names = "--backend", paramLabel = "B", defaultValue = "auto",
            description = "native, scalar (plain Java, slow), or auto: native where it can be loaded. Default: ${DEFAULT-VALUE}.")
    private BackendType backend;

    @ArgGroup
    private @Nullable Form form;

    @Option(names = "--verbose", description = "Show where a failure happened.")
    private boolean verbose;

    /** How the result is written, unless as text. */
    private static final class Form {
        @Option(names = "--json", description = "Write one JSON object.")
        private boolean json;

        @Option(names = "--markdown", description = "Write Markdown.")
        private boolean markdown;
    }

    @Override
    public boolean verbose() {
        return verbose;
    }

    @Override
    public Integer call() throws IOException {
        PrintWriter err = spec.commandLine().getErr();
        model.check();
        List<BenchTest> wanted = tests.tests();
        LoadOptions options = options(wanted);
        Path path = model.path(options, err);
        if (model.onlyWrites()) {
            err.println(path);
            return CommandLine.ExitCode.OK;
        }
        requireMemory(path, wanted);
        BenchReport report = measure(path, wanted, model.applyTo(options), err);
        PrintWriter out = spec.commandLine().getOut();
        if (form != null && form.json) {
            out.print(BenchJson.of(report));
        } else {
            out.print(form == null ? BenchText.plain(report) : BenchText.markdown(report));
        }
        StandardOutput.flush(out);
        return report.interrupted() ? INTERRUPTED : CommandLine.ExitCode.OK;
    }

    private LoadOptions options(List<BenchTest> wanted) {
        try {
            LoadOptions options = LoadOptions.defaults()
                    .backend(backend)
                    .kvType(kvType)
                    .context(tests.context(wanted))
                    .maxSequences(wanted.stream().mapToInt(BenchTest::sequences).max().orElseThrow());
            return threads == null ? options : options.threads(threads);
        } catch (IllegalArgumentException e) {
            throw new CommandLine.ParameterException(spec.commandLine(), "--" + e.getMessage(), e);
        }
    }

    /** Keys and values are taken from the system as they are written: too many would end the program, or another one, in the middle. */
    private void requireMemory(Path path, List<BenchTest> wanted) {
        ModelConfig config = ModelLoader.check(path).config();
        double perPosition = 2.0 * config.nLayers() * config.kvDim() * (kvType == KvType.F16 ? Short.BYTES : Float.BYTES);
        long memory = ((OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean()).getTotalMemorySize();
        for (BenchTest test : wanted) {
            double bytes = perPosition * test.positions() * test.sequences();
            if (bytes > memory) {
                throw new YangtuoException(String.format(Locale.ROOT, "%s: the context is too long: keys and values of %d positions in %d sequences need %.1f GB,"
                        + " this machine has %.1f GB", test.name(), test.positions(), test.sequences(), bytes / 1e9, memory / 1e9));
            }
        }
    }

    /** The ceilings are measured before and after, since other programs can slow down either. */
    private BenchReport measure(Path path, List<BenchTest> wanted, LoadOptions options, PrintWriter err) {
        int threadCount = options.settings().threads();
        Ceilings before = ceilings(threadCount);
        LoadedModel loaded = model.adapters().reporting(() -> load(path, options, err), result -> result.merge().json(), result -> result.model().close());
        List<TestResult> results;
        Benchmark benchmark;
        BenchReport.Setup setup;
        try (Model open = loaded.model(); ProgressDisplay display = new ProgressDisplay(err, "measuring", ProgressDisplay.Unit.RUNS)) {
            int step = tests.step(open.maxColumns());
            if (step > open.maxColumns()) {
                throw new YangtuoException("--ubatch is %d, but a forward pass takes %d tokens at most".formatted(step, open.maxColumns()));
            }
            setup = setup(loaded, threadCount, step);
            benchmark = new Benchmark(open, step, tests.repeats(), (test, done, count) -> display.update(done, count, test.name()));
            results = run(benchmark, wanted);
        }
        Ceilings highest = before == null || benchmark.isCancelled() ? before : before.orHigher(Ceilings.measure(threadCount));
        return new BenchReport(Machine.here(), highest, setup, results, benchmark.isCancelled());
    }

    private static List<TestResult> run(Benchmark benchmark, List<BenchTest> wanted) {
        try (InterruptGuard _ = new InterruptGuard(benchmark::cancel)) {
            return benchmark.run(wanted);
        }
    }

    private @Nullable Ceilings ceilings(int threadCount) {
        if (backend == BackendType.SCALAR) {
            return null;
        }
        try {
            return Ceilings.measure(threadCount);
        } catch (NativeLibraryException e) {
            if (backend == BackendType.NATIVE) {
                throw e;
            }
            return null; // loading the model says why plain Java computes
        }
    }

    private static LoadedModel load(Path path, LoadOptions options, PrintWriter err) {
        try (ProgressDisplay display = new ProgressDisplay(err, "loading", ProgressDisplay.Unit.MEGABYTES)) {
            return ModelLoader.load(path, options.onProgress(display::update).settings());
        }
    }

    private static String name(LoadedModel loaded) {
        Stream<Path> adapters = loaded.merge().adapters().stream().map(adapter -> adapter.source().path());
        return Stream.concat(Stream.of(loaded.path()), adapters).map(Path::toString).collect(Collectors.joining(" + "));
    }

    private BenchReport.Setup setup(LoadedModel loaded, int threadCount, int step) {
        Model open = loaded.model();
        return new BenchReport.Setup(
                new Version().getVersion()[0].substring("yangtuo ".length()),
                open.backendName(),
                threadCount,
                name(loaded),
                loaded.weightTypes(),
                open.weightBytes(),
                open.costs().outputType().name(),
                kvType.name(),
                step,
                tests.repeats());
    }
}
