package dev.yangtuo.model;

import dev.yangtuo.checkpoint.GgufMetadata;
import dev.yangtuo.checkpoint.GgufPairs;
import dev.yangtuo.exception.CheckpointFormatException;
import dev.yangtuo.sampling.SamplingOptions;
import java.nio.file.Path;
import java.util.List;

/** What the metadata of a GGUF file recommend for generation ({@code general.sampling.*}), as llama.cpp's converter writes it. */
final class GgufSampling {
    static final String PREFIX = "general.sampling.";

    private static final String TEMPERATURE = PREFIX + "temp";
    private static final String TOP_K = PREFIX + "top_k";
    private static final String TOP_P = PREFIX + "top_p";
    private static final String MIN_P = PREFIX + "min_p";
    private static final String REPEAT_PENALTY = PREFIX + "penalty_repeat";

    private GgufSampling() {}

    /** As a {@code generation_config.json} is read: if anything is said, what is left out is off; if nothing is, the default holds. */
    static GenerationConfig read(Path file, GgufMetadata metadata) {
        if (List.of(TEMPERATURE, TOP_K, TOP_P, MIN_P, REPEAT_PENALTY).stream().noneMatch(metadata::contains)) {
            return GenerationConfig.DEFAULT;
        }
        try {
            SamplingOptions sampling = new SamplingOptions(
                    metadata.number(TEMPERATURE, 1f),
                    Math.max(0, metadata.integer(TOP_K, 0)), // -1 is off, too
                    metadata.number(TOP_P, 1f),
                    metadata.number(MIN_P, 0f),
                    metadata.number(REPEAT_PENALTY, 1f));
            return new GenerationConfig(sampling, GenerationConfig.DEFAULT.maxTokens(), List.of());
        } catch (IllegalArgumentException e) {
            throw new CheckpointFormatException(file, "general.sampling: " + e.getMessage(), e);
        }
    }

    static void write(GgufPairs pairs, SamplingOptions sampling) {
        pairs.put(TEMPERATURE, sampling.temperature())
                .put(TOP_K, sampling.topK())
                .put(TOP_P, sampling.topP())
                .put(MIN_P, sampling.minP())
                .put(REPEAT_PENALTY, sampling.repeatPenalty());
    }
}
