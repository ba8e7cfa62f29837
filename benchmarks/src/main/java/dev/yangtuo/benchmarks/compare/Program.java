package dev.yangtuo.benchmarks.compare;

import dev.yangtuo.bench.BenchTest;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * A program that measures a model, and how it is asked to.
 *
 * @param kind whose options it has
 * @param path of the program
 * @param arguments more of them
 */
record Program(Kind kind, Path path, List<String> arguments) {
    /** Positions of each sequence are a multiple of it in llama-batched-bench. */
    private static final int POSITIONS = 256;

    /** Whose options a program has. */
    enum Kind {
        YANGTUO,
        LLAMA_BENCH,
        LLAMA_BATCHED_BENCH
    }

    Program {
        arguments = List.copyOf(arguments);
    }

    /**
     * {@return the command line of a test}
     *
     * @param repeats runs of the test in the one process
     */
    List<String> command(Path model, BenchTest test, int threads, int repeats) {
        List<String> command = new ArrayList<>(List.of(path.toString()));
        command.addAll(switch (kind) {
            case YANGTUO -> yangtuo(model, test, repeats);
            case LLAMA_BENCH -> llamaBench(model, test, repeats);
            case LLAMA_BATCHED_BENCH -> batchedBench(model, test, repeats);
        });
        command.addAll(List.of("-t", Integer.toString(threads)));
        command.addAll(arguments);
        return command;
    }

    private static List<String> yangtuo(Path model, BenchTest test, int repeats) {
        List<String> options = new ArrayList<>(List.of("bench", "--json", "--model", model.toString()));
        options.addAll(tokens(test));
        options.addAll(List.of("-d", text(test.depth()), "-b", text(test.sequences()), "-r", text(repeats)));
        return options;
    }

    /** Not every program of the kind knows depths, so they are asked for only where there is one. */
    private static List<String> llamaBench(Path model, BenchTest test, int repeats) {
        List<String> options = new ArrayList<>(List.of("-m", model.toString(), "-o", "json", "-r", text(repeats)));
        options.addAll(tokens(test));
        if (test.depth() > 0) {
            options.addAll(List.of("-d", text(test.depth())));
        }
        return options;
    }

    private static List<String> tokens(BenchTest test) {
        boolean prompt = test.kind() == BenchTest.Kind.PROMPT;
        return List.of("-p", text(prompt ? test.tokens() : 0), "-n", text(prompt ? 0 : test.tokens()));
    }

    /** It has no repeats, but takes a list; and each sequence begins with a prompt of at least one token. */
    private static List<String> batchedBench(Path model, BenchTest test, int repeats) {
        int prompt = Math.max(1, test.depth());
        long positions = (long) test.sequences() * Math.ceilDiv(prompt + test.tokens(), POSITIONS) * POSITIONS;
        return List.of("-m", model.toString(), "--output-format", "jsonl", "-c", Long.toString(positions), "-npp", text(prompt),
                "-ntg", String.join(",", Collections.nCopies(repeats, text(test.tokens()))), "-npl", text(test.sequences()));
    }

    private static String text(int number) {
        return Integer.toString(number);
    }
}
