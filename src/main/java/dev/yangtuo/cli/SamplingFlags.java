package dev.yangtuo.cli;

import dev.yangtuo.GenerateOptions;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/** How tokens are chosen; what is not given comes from the model's generation_config.json, else from the defaults of the library. */
final class SamplingFlags {
    @Option(names = "--greedy", description = "Always the most probable token, without penalties.")
    private boolean greedy;

    @Option(names = "--temperature", paramLabel = "T", description = "0 takes the most probable token, 1 samples as computed.")
    private @Nullable Float temperature;

    @Option(names = "--top-k", paramLabel = "K", description = "Keep this many most probable tokens; 0 keeps all.")
    private @Nullable Integer topK;

    @Option(names = "--top-p", paramLabel = "P", description = "Keep the most probable tokens that together reach this probability; 1 keeps all.")
    private @Nullable Float topP;

    @Option(names = "--min-p", paramLabel = "P", description = "Keep tokens at least this share as probable as the best; 0 keeps all.")
    private @Nullable Float minP;

    @Option(names = "--repeat-penalty", paramLabel = "R", description = "Make what was already there less probable; 1 changes nothing.")
    private @Nullable Float repeatPenalty;

    @Option(names = "--seed", paramLabel = "S", description = "The same seed gives the same text. Default: a random one, which is shown.")
    private @Nullable Long seed;

    /** What {@code --seed} says; null if it is not there. */
    @Nullable Long seed() {
        return seed;
    }

    /**
     * @throws CommandLine.ParameterException if --greedy stands beside what it excludes
     * @throws IllegalArgumentException if a value is out of range
     */
    GenerateOptions apply(GenerateOptions options, CommandLine commandLine) {
        boolean sampled = Stream.of(temperature, topK, topP, minP, repeatPenalty).anyMatch(value -> value != null);
        if (greedy && sampled) {
            throw new CommandLine.ParameterException(
                    commandLine, "--greedy excludes --temperature, --top-k, --top-p, --min-p and --repeat-penalty");
        }
        options = greedy ? options.greedy() : options;
        options = temperature == null ? options : options.temperature(temperature);
        options = topK == null ? options : options.topK(topK);
        options = topP == null ? options : options.topP(topP);
        options = minP == null ? options : options.minP(minP);
        options = repeatPenalty == null ? options : options.repeatPenalty(repeatPenalty);
        return seed == null ? options : options.seed(seed);
    }
}
