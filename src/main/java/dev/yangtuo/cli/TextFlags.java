package dev.yangtuo.cli;

import dev.yangtuo.GenerateOptions;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** How a text is written: how its tokens are chosen, and where it ends. */
final class TextFlags {
    @Mixin
    private SamplingFlags sampling;

    @Option(names = "--max-tokens", paramLabel = "N", description = "Tokens to generate at most. Default: what the model recommends, else 400.")
    private @Nullable Integer maxTokens;

    @Option(names = "--stop", paramLabel = "TEXT", description = "End before this text; may be given several times.")
    private List<String> stops = List.of();

    /** @throws CommandLine.ParameterException if a value is out of range, or excludes another one */
    GenerateOptions options(CommandLine commandLine) {
        try {
            if (maxTokens != null && maxTokens < 1) {
                throw new IllegalArgumentException("--max-tokens is %d, must be at least 1".formatted(maxTokens));
            }
            GenerateOptions options = sampling.apply(GenerateOptions.defaults(), commandLine);
            options = maxTokens == null ? options : options.maxTokens(maxTokens);
            for (String stop : stops) {
                options = options.stop(stop);
            }
            return options;
        } catch (IllegalArgumentException e) {
            throw new CommandLine.ParameterException(commandLine, e.getMessage(), e);
        }
    }

    /** The seed that was given; null for a random one. */
    @Nullable Long seed() {
        return sampling.seed();
    }

    /**
     * How many log-probabilities are wanted of each token.
     *
     * @param logProbabilities what {@code --logprobs} says; null if it is not there
     */
    static GenerateOptions withLogProbabilities(GenerateOptions options, @Nullable Integer logProbabilities, CommandLine commandLine) {
        if (logProbabilities == null) {
            return options;
        }
        if (logProbabilities < 0 || logProbabilities > 20) {
            throw new CommandLine.ParameterException(commandLine, "--logprobs is %d, must be 0 to 20".formatted(logProbabilities));
        }
        return options.logProbabilities(logProbabilities);
    }
}
