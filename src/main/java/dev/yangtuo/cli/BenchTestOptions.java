package dev.yangtuo.cli;

import dev.yangtuo.bench.BenchTest;
import java.util.List;
import java.util.stream.Stream;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Which tests are run, and how often; by the names that llama-bench gives them. */
final class BenchTestOptions {
    private static final String LISTS = "\\s*,\\s*";

    @Spec(Spec.Target.MIXEE)
    private CommandSpec spec;

    @Option(names = {"-p", "--prompt-tokens"}, split = LISTS, splitSynopsisLabel = ",", paramLabel = "N", defaultValue = "512",
            description = "Tokens of the prompts, separated by commas; 0 for no such test. Default: ${DEFAULT-VALUE}.")
    private List<Integer> prompts;

    @Option(names = {"-n", "--generate-tokens"}, split = LISTS, splitSynopsisLabel = ",", paramLabel = "N", defaultValue = "128",
            description = "Tokens to generate, separated by commas; 0 for no such test. Default: ${DEFAULT-VALUE}.")
    private List<Integer> generations;

    @Option(names = {"-d", "--depth"}, split = LISTS, splitSynopsisLabel = ",", paramLabel = "N", defaultValue = "0",
            description = "Tokens that are in the key/value memory before, not measured; a list. Default: ${DEFAULT-VALUE}.")
    private List<Integer> depths;

    @Option(names = {"-b", "--sequences"}, split = LISTS, splitSynopsisLabel = ",", paramLabel = "N", defaultValue = "1",
            description = {
                "Sequences that generate together, in one forward pass for each token of all; a list. Their tokens are counted together.",
                "(In llama-bench -b is something else: tokens of a batch.) Default: ${DEFAULT-VALUE}."
            })
    private List<Integer> sequences;

    @Option(names = {"-r", "--repeats"}, paramLabel = "N", defaultValue = "5",
            description = "Runs of each test, after one that does not count. Default: ${DEFAULT-VALUE}.")
    private int repeats;

    @Option(names = "--ubatch", paramLabel = "N", description = "Tokens of a prompt in one forward pass. Default: as many as generate takes.")
    private Integer step;

    int repeats() {
        return repeats;
    }

    /** Columns of a forward pass at most. */
    int step(int most) {
        return step == null ? most : step;
    }

    /** The tests. */
    List<BenchTest> tests() {
        if (repeats < 1 || repeats > 10_000) {
            throw wrong("-r is %d, must be 1 to 10000".formatted(repeats), null);
        }
        if (step != null && step < 1) {
            throw wrong("--ubatch is %d, must be at least 1".formatted(step), null);
        }
        Stream.concat(prompts.stream(), generations.stream()).filter(tokens -> tokens < 0).findFirst().ifPresent(tokens -> {
            throw wrong("the number of tokens is %d, must be 1 or more, or 0 to leave the test out".formatted(tokens), null);
        });
        try {
            return BenchTest.all(prompts, generations, depths, sequences);
        } catch (IllegalArgumentException e) {
            throw wrong(String.valueOf(e.getMessage()), e);
        }
    }

    /** Positions that a sequence must have room for. */
    int context(List<BenchTest> tests) {
        return Math.max(tests.stream().mapToInt(BenchTest::positions).max().orElseThrow(), step == null ? 1 : step);
    }

    private CommandLine.ParameterException wrong(String problem, Throwable cause) {
        return new CommandLine.ParameterException(spec.commandLine(), problem, cause);
    }
}
