package dev.yangtuo.model;

import dev.yangtuo.checkpoint.GgufMetadata;
import dev.yangtuo.checkpoint.GgufPairs;
import dev.yangtuo.exception.CheckpointFormatException;
import dev.yangtuo.sampling.Penalties;
import dev.yangtuo.sampling.SamplingOptions;
import dev.yangtuo.sampling.Xtc;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** What the metadata of a GGUF file recommend for generation ({@code general.sampling.*}), as llama.cpp's converter writes it. */
final class GgufSampling {
    static final String PREFIX = "general.sampling.";

    private static final String TEMPERATURE = PREFIX + "temp";
    private static final String TOP_K = PREFIX + "top_k";
    private static final String TOP_P = PREFIX + "top_p";
    private static final String MIN_P = PREFIX + "min_p";
    private static final String REPEAT_PENALTY = PREFIX + "penalty_repeat";
    private static final String REPEAT_LAST_N = PREFIX + "penalty_last_n";
    private static final String XTC_PROBABILITY = PREFIX + "xtc_probability";
    private static final String XTC_THRESHOLD = PREFIX + "xtc_threshold";

    private GgufSampling() {}

    /** As a {@code generation_config.json} is read: if anything is said, what is left out is off; if nothing is, the default holds. */
    static GenerationConfig read(Path file, GgufMetadata metadata) {
        if (Stream.of(TEMPERATURE, TOP_K, TOP_P, MIN_P, REPEAT_PENALTY, REPEAT_LAST_N, XTC_PROBABILITY, XTC_THRESHOLD).noneMatch(metadata::contains)) {
            return GenerationConfig.DEFAULT;
        }
        try {
            SamplingOptions sampling = new SamplingOptions(
                    metadata.number(TEMPERATURE, 1f),
                    Math.max(0, metadata.integer(TOP_K, 0)), // -1 is off, too
                    metadata.number(TOP_P, 1f),
                    metadata.number(MIN_P, 0f),
                    metadata.number(REPEAT_PENALTY, 1f));
            sampling = sampling.with(sampling.penalties().withLastN(metadata.integer(REPEAT_LAST_N, Penalties.WHOLE_TEXT)))
                    .with(new Xtc(metadata.number(XTC_PROBABILITY, 0f), metadata.number(XTC_THRESHOLD, Xtc.OFF.threshold())));
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
        if (sampling.penalties().lastN() != Penalties.WHOLE_TEXT) {
            pairs.put(REPEAT_LAST_N, sampling.penalties().lastN());
        }
        if (sampling.xtc().isOn()) {
            pairs.put(XTC_PROBABILITY, sampling.xtc().probability()).put(XTC_THRESHOLD, sampling.xtc().threshold());
        }
    }
}
