package dev.yangtuo.benchmarks;

import dev.yangtuo.benchmarks.kernel.KernelArguments;
import dev.yangtuo.exception.KernelException;
import java.io.IOException;
import java.util.Arrays;
import java.util.stream.Stream;
import org.openjdk.jmh.Main;

/**
 * JMH with its own arguments, those of the kernels' benchmarks completed. A benchmark that fails, a wrong result above all, ends the run, unless
 * {@code -foe false} is given.
 */
public final class RunBenchmarks {
    private static final String FAIL_ON_ERROR = "-foe";

    private RunBenchmarks() {}

    /**
     * Runs what the arguments say.
     *
     * @param arguments JMH's
     * @throws IOException if the help cannot be written
     */
    public static void main(String[] arguments) throws IOException {
        String[] completed;
        try {
            completed = KernelArguments.complete(arguments, System.err::println);
        } catch (IllegalArgumentException | KernelException e) {
            System.err.println(e.getMessage());
            System.exit(1);
            return;
        }
        boolean says = Arrays.stream(arguments).anyMatch(argument -> argument.startsWith(FAIL_ON_ERROR));
        Main.main(says ? completed : Stream.concat(Arrays.stream(completed), Stream.of(FAIL_ON_ERROR, "true")).toArray(String[]::new));
    }
}
