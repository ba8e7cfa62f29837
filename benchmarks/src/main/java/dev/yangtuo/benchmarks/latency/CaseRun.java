package dev.yangtuo.benchmarks.latency;

import dev.yangtuo.benchmarks.Facts;
import dev.yangtuo.exception.YangtuoException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.Options;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.util.Statistics;

/** Runs one case at a time with JMH, in JVMs of its own. */
final class CaseRun {
    /** Of every JVM. */
    static final List<String> FLAGS = List.of("--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow");
    /** What Jlama's own launcher gives it, as far as this Java has it, beside {@link #FLAGS}. */
    static final List<String> JLAMA_FLAGS = List.of("--add-modules=jdk.incubator.vector", "--add-exports=java.base/sun.nio.ch=ALL-UNNAMED",
            "-Djdk.incubator.vector.VECTOR_ACCESS_OOB_CHECK=0", "-XX:+AlignVector");

    private static final String PACKAGE = "dev.yangtuo.benchmarks.";
    private static final int SHOWN = 600;
    private static final String GC_BYTES = "gc.alloc.rate.norm";
    private static final List<Integer> PERCENTILES = List.of(50, 90, 99);
    /** Of an iteration: what takes longer is not measured, and said. */
    private static final int TIMEOUT_MINUTES = 15;

    private static final double MILLIS = 1000;

    private final Optional<Path> enginePath;
    private final Path log;

    /** @param log receives what JMH and the benchmarks print, after what is there */
    CaseRun(Optional<Path> enginePath, Path log) {
        this.enginePath = enginePath;
        this.log = log;
    }

    SuiteRow run(SuiteCase next) throws IOException {
        Path facts = Files.createTempFile("latency", ".facts");
        Path output = Files.createTempFile("latency", ".log");
        try {
            RunResult result = new Runner(options(next, facts, output)).run().iterator().next();
            return SuiteRow.measured(next, values(next.measure(), result), Facts.read(facts));
        } catch (RunnerException e) {
            return SuiteRow.failed(next, reason(e));
        } finally {
            Files.write(log, Files.readAllBytes(output), StandardOpenOption.CREATE, StandardOpenOption.APPEND);
            Files.delete(facts);
            Files.delete(output);
        }
    }

    private Options options(SuiteCase next, Path facts, Path output) {
        Repeats repeats = next.repeats();
        ChainedOptionsBuilder builder = new OptionsBuilder()
                .include("^" + (PACKAGE + next.measure().benchmark()).replace(".", "\\.") + "$")
                .forks(repeats.forks())
                .warmupIterations(repeats.warmups())
                .warmupTime(TimeValue.seconds(repeats.seconds()))
                .measurementIterations(repeats.iterations())
                .measurementTime(TimeValue.seconds(repeats.seconds()))
                .addProfiler(GCProfiler.class)
                .jvmArgs(jvmArguments(next.engine(), facts).toArray(String[]::new))
                .timeout(TimeValue.minutes(TIMEOUT_MINUTES))
                .shouldFailOnError(true)
                .output(output.toString());
        builder.param(next.measure() == Measure.TOKENIZE ? "encoder" : "engine", next.engine().toString());
        next.parameters().forEach(builder::param);
        next.hidden().forEach(builder::param);
        return builder.build();
    }

    private List<String> jvmArguments(EngineName engine, Path facts) {
        List<String> arguments = new ArrayList<>(FLAGS);
        arguments.add("-Dyangtuo.home=" + System.getProperty("yangtuo.home", "."));
        arguments.add("-D%s=%s".formatted(Facts.PROPERTY, facts));
        enginePath.ifPresent(path -> arguments.add("-Dyangtuo.llama.cpp.path=" + path));
        if (engine == EngineName.JLAMA) {
            arguments.addAll(JLAMA_FLAGS);
        }
        return arguments;
    }

    private static Map<String, Double> values(Measure measure, RunResult result) {
        Map<String, Double> values = new LinkedHashMap<>();
        switch (measure) {
            case GARBAGE -> {
                double texts = Double.parseDouble(result.getParams().getParam("texts"));
                values.put("bytes_per_token", secondary(result, "bytes") / secondary(result, "steps") / texts);
                values.put("gc_prof_bytes_per_token", secondary(result, GC_BYTES) / texts);
            }
            case TOKENIZE -> {
                put(values, result.getSecondaryResults().get("megabytes"));
                values.put("bytes_per_operation", secondary(result, GC_BYTES));
            }
            case FOREIGN_CALL -> {
                put(values, result.getPrimaryResult());
                values.put("bytes_per_operation", secondary(result, GC_BYTES));
            }
            case FIRST_TOKEN, NEXT_TOKEN, LOAD -> {
                put(values, result.getPrimaryResult());
                Statistics times = result.getPrimaryResult().getStatistics();
                for (int percent : PERCENTILES) {
                    values.put("p" + percent, times.getPercentile(percent));
                }
                if (measure == Measure.NEXT_TOKEN) {
                    values.put("tokens_per_second", Double.parseDouble(result.getParams().getParam("texts")) * MILLIS / times.getMean());
                }
            }
        }
        return values;
    }

    /** The error is half the width of the interval in which the mean lies with 99.9 %; there is none of a single sample. */
    private static void put(Map<String, Double> values, Result<?> result) {
        values.put("mean", result.getScore());
        if (!Double.isNaN(result.getScoreError())) {
            values.put("error", result.getScoreError());
        }
        values.put("samples", (double) result.getSampleCount());
        values.put("least", result.getStatistics().getMin());
        values.put("most", result.getStatistics().getMax());
    }

    private static double secondary(RunResult result, String name) {
        return result.getSecondaryResults().get(name).getScore();
    }

    /** The innermost cause that says something: JMH's own messages say that something failed. */
    private static String reason(RunnerException e) {
        Throwable cause = e;
        while (!isSaid(cause) && next(cause) != null) {
            cause = next(cause);
        }
        String text = String.valueOf(cause.getMessage()).strip().replaceAll("\\s+", " ");
        String named = isSaid(cause) || cause == e ? text : cause.getClass().getSimpleName() + ": " + text;
        return named.substring(0, Math.min(SHOWN, named.length()));
    }

    /** Whether it is one of those that say in a sentence what is wrong. */
    private static boolean isSaid(Throwable cause) {
        return cause instanceof IllegalStateException || cause instanceof YangtuoException;
    }

    private static @Nullable Throwable next(Throwable cause) {
        if (cause.getCause() != null) {
            return cause.getCause();
        }
        return cause.getSuppressed().length > 0 ? cause.getSuppressed()[0] : null;
    }
}
