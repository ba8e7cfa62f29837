package dev.yangtuo.model;

import dev.yangtuo.checkpoint.JsonFile;
import dev.yangtuo.sampling.SamplingOptions;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * What a {@code generation_config.json} recommends.
 *
 * @param sampling how tokens are chosen
 * @param maxTokens how many at most
 * @param eosIds ids that end a text; empty if the file does not say
 */
public record GenerationConfig(SamplingOptions sampling, int maxTokens, List<Integer> eosIds) {
    /** What applies where there is no such file. */
    public static final GenerationConfig DEFAULT = new GenerationConfig(SamplingOptions.DEFAULT, 400, List.of());

    static final String FILE_NAME = "generation_config.json";

    private static final List<String> SAMPLING_FIELDS =
            List.of("do_sample", "temperature", "top_k", "top_p", "typical_p", "min_p", "repetition_penalty");

    /** Copies the ids. */
    public GenerationConfig {
        eosIds = List.copyOf(eosIds);
        if (maxTokens < 1) {
            throw new IllegalArgumentException("max_new_tokens is %d, must be at least 1".formatted(maxTokens));
        }
    }

    /** Whether a directory holds such a file. */
    static boolean isIn(Path directory) {
        return Files.isRegularFile(directory.resolve(FILE_NAME));
    }

    /**
     * Reads the file of a directory. If it says anything about sampling, what it leaves out is off; if it says nothing about it,
     * {@link #DEFAULT} holds. {@code "do_sample": false} is greedy.
     *
     * @throws dev.yangtuo.exception.CheckpointFormatException if it is not JSON or a value is out of range
     */
    static GenerationConfig read(Path directory) {
        Path file = directory.resolve(FILE_NAME);
        ConfigReader config = new ConfigReader(file, JsonFile.readObject(file));
        try {
            int maxTokens = config.intValue("max_new_tokens", DEFAULT.maxTokens());
            return new GenerationConfig(sampling(config), maxTokens, config.ids("eos_token_id"));
        } catch (IllegalArgumentException e) {
            throw config.problem(String.valueOf(e.getMessage()));
        }
    }

    private static SamplingOptions sampling(ConfigReader config) {
        if (SAMPLING_FIELDS.stream().noneMatch(config::has)) {
            return SamplingOptions.DEFAULT;
        }
        float penalty = config.floatValue("repetition_penalty", 1f);
        if (!config.booleanValue("do_sample", true)) {
            return SamplingOptions.GREEDY.withRepeatPenalty(penalty);
        }
        SamplingOptions options = new SamplingOptions(
                config.floatValue("temperature", 1f),
                config.intValue("top_k", 0),
                config.floatValue("top_p", 1f),
                config.floatValue("min_p", 0f),
                penalty);
        return options.with(options.truncation().withTypicalP(config.floatValue("typical_p", 1f)));
    }
}
