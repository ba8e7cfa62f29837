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
import dev.yangtuo.engine.Engines;
import dev.yangtuo.exception.NativeLibraryException;
import dev.yangtuo.exception.YangtuoException;
import dev.yangtuo.kernel.Ceilings;
import dev.yangtuo.model.DeviceChoice;
import dev.yangtuo.model.LoadedModel;
import dev.yangtuo.model.Model;
import dev.yangtuo.tensor.TensorType;
import java.io.IOException;
import java.io.PrintWriter;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import picocli.CommandLine;

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
            "Tokens are random, logits are computed for the last position, nothing is sampled. Nothing else may run on the machine meanwhile.",
            "docs/benchmarking.md says what counts as bytes and as operations, and describes the object of --json. Ctrl-C shows the tests that were complete.",
            "  yangtuo bench --model model.gguf",
            "  yangtuo bench --shape 1b --type q4_0 -p 512 -n 128 -d 0,3500 -b 1,8",
            "  yangtuo bench --model path/to/llama --lora path/to/adapter --type q8_0 --json"
        })
final class BenchCommand implements Callable<Integer> {
    /** Part of the name of what computes, where that is a device beside the processor. */
    static final String DEVICE = "cuda:";

    @Spec
    private CommandSpec spec;

    @Mixin
    private BenchModelOptions model;

    @Mixin
    private BenchTestOptions tests;

    @Option(names = {"-t", "--threads"}, paramLabel = "N", description = "Threads that compute. Default: all processors.")
    private @Nullable Integer threads;

    @Option(names = "--kv-type", paramLabel = "TYPE", defaultValue = "f16", completionCandidates = ValueNames.KvTypes.class,
            description = "Keep keys and values as f16, f32, bf16, q8_0 or q4_0. Default: ${DEFAULT-VALUE}.")
    private KvType kvType;

    @Option(names = "--backend", paramLabel = "BACKEND", defaultValue = "auto", completionCandidates = ValueNames.Backends.class,
            description = "native, scalar (plain Java, slow), or auto: native where it can be loaded. Default: ${DEFAULT-VALUE}.")
    private BackendType backend;

    @ArgGroup
    private @Nullable Form form;

    /** How the result is written, unless as text. */
    private static final class Form {
        @Option(names = "--json", description = "Write one JSON object instead of text; docs/benchmarking.md describes it.")
        private boolean json;

        @Option(names = "--markdown", description = "Write Markdown instead of plain text.")
        private boolean markdown;
    }

    @Override
    public Integer call() throws IOException {
        PrintWriter err = spec.commandLine().getErr();
        model.check();
        List<BenchTest> wanted = tests.tests();
        LoadOptions options = options(wanted);
        Path path = model.path(options, err);
        if (model.onlyWrites()) {
            return reportFile(path, err);
        }
        requireMemory(path, options.settings().kvType(), wanted);
        LoadOptions loading = model.applyTo(options);
        // They are the processor's.
        Ceilings before = loading.settings().devices().kind() == DeviceChoice.Kind.CUDA ? null : ceilings(loading.settings().threads());
        LoadedModel loaded = model.adapters().reporting(() -> load(path, loading, err), result -> result.merge().json(), result -> result.model().close());
        AtomicBoolean interrupted = new AtomicBoolean();
        try (InterruptGuard _ = new InterruptGuard(() -> interrupted.set(true))) {
            write(measure(loaded, loaded.model().backendName().contains(DEVICE) ? null : before, wanted, loading.settings().threads(), interrupted));
        }
        return interrupted.get() ? InterruptGuard.EXIT_CODE : CommandLine.ExitCode.OK;
    }

    private int reportFile(Path path, PrintWriter err) throws IOException {
        if (form != null && form.json) {
            JsonResult.print(JsonResult.object().put("output", path.toString()).put("bytes", Files.size(path)), spec);
        } else {
            err.println(path);
        }
        return CommandLine.ExitCode.OK;
    }

    private void write(BenchReport report) throws IOException {
        PrintWriter out = spec.commandLine().getOut();
        if (form != null && form.json) {
            JsonResult.write(BenchJson.of(report), out);
        } else {
            out.print(form == null ? BenchText.plain(report) : BenchText.markdown(report));
        }
        StandardOutput.flush(out);
    }

    private LoadOptions options(List<BenchTest> wanted) {
        return Failures.asUsage(spec, () -> {
            LoadOptions options = LoadOptions.defaults()
                    .backend(backend)
                    .kvType(kvType)
                    .context(tests.context(wanted))
                    .maxSequences(wanted.stream().mapToInt(BenchTest::sequences).max().orElseThrow());
            return threads == null ? options : options.threads(threads);
        });
    }

    /** Keys and values are taken from the system as they are written: too many would end the program, or another one, in the middle. */
    private static void requireMemory(Path path, TensorType kvType, List<BenchTest> wanted) {
        double perPosition = Engines.keyValueBytes(path, kvType);
        long memory = ((OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean()).getTotalMemorySize();
        for (BenchTest test : wanted) {
            double bytes = perPosition * test.positions() * test.sequences();
            if (bytes > memory) {
                throw new YangtuoException(String.format(Locale.ROOT, "%s: the context is too long: keys and values of %d positions in %d sequences need %.1f GB,"
                        + " this machine has %.1f GB", test.name(), test.positions(), test.sequences(), bytes / 1e9, memory / 1e9));
            }
        }
    }

    /**
     * The ceilings are measured before and after, since other programs can slow down either.
     *
     * @param loaded closed at the end
     */
    private BenchReport measure(LoadedModel loaded, @Nullable Ceilings before, List<BenchTest> wanted, int threadCount, AtomicBoolean interrupted) {
        PrintWriter err = spec.commandLine().getErr();
        List<TestResult> results;
        BenchReport.Setup setup;
        try (Model open = loaded.model(); ProgressDisplay display = new ProgressDisplay(err, "measuring", ProgressDisplay.Unit.RUNS)) {
            int step = tests.step(open.maxColumns());
            if (step > open.maxColumns()) {
                throw new YangtuoException("--ubatch is %d, but a forward pass takes %d tokens at most".formatted(step, open.maxColumns()));
            }
            setup = setup(loaded, threadCount, step);
            results = new Benchmark(open, step, tests.repeats(), (test, done, count) -> display.update(done, count, test.name()), () -> !interrupted.get())
                    .run(wanted);
        }
        Ceilings highest = before == null || interrupted.get() ? before : before.orHigher(Ceilings.measure(threadCount));
        return new BenchReport(Machine.here(), highest, setup, results, interrupted.get());
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
            return Engines.load(path, options.onProgress(display::update));
        }
    }

    private static String name(LoadedModel loaded) {
        Stream<Path> adapters = loaded.merge().adapters().stream().map(adapter -> adapter.source().path());
        return Stream.concat(Stream.of(loaded.path()), adapters).map(Path::toString).collect(Collectors.joining(" + "));
    }

    private BenchReport.Setup setup(LoadedModel loaded, int threadCount, int step) {
        Model open = loaded.model();
        return new BenchReport.Setup(
                Version.number(),
                open.backendName(),
                threadCount,
                name(loaded),
                loaded.weightTypes(),
                open.weightBytes(),
                open.costs().outputType(),
                kvType.name(),
                step,
                tests.repeats());
    }
}
