package dev.yangtuo.model;

import dev.yangtuo.checkpoint.GgufCheckpoint;
import dev.yangtuo.checkpoint.GgufMetadata;
import dev.yangtuo.checkpoint.GgufPairs;
import dev.yangtuo.checkpoint.TensorInfo;
import dev.yangtuo.exception.CheckpointFormatException;
import dev.yangtuo.exception.UnsupportedModelException;
import dev.yangtuo.tensor.FloatRows;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * RoPE and the sliding window in a GGUF file. What llama.cpp has no key for is under keys of our own, beside what is nearest to it there: a file is
 * read back as it was, and llama.cpp computes what it can.
 */
final class GgufRope {
    /** Llama 3.1's scaling, and whatever else divides each frequency by a factor of its own; float32 [headDim / 2]. */
    static final String FACTORS = "rope_freqs.weight";

    private static final float THETA = 10_000f;
    private static final String BASE = "llama.rope.freq_base";
    private static final String OLD_FACTOR = "llama.rope.scale_linear";
    private static final String SCALING = "llama.rope.scaling.";
    private static final String TYPE = SCALING + "type";
    private static final String FACTOR = SCALING + "factor";
    private static final String ORIGINAL = SCALING + "original_context_length";
    /** Multiplies the attention factor that YaRN recommends. */
    private static final String ATTENTION = SCALING + "attn_factor";
    /** The attention factor itself, as converters write that of a Hugging Face model. */
    private static final String WHOLE_ATTENTION = SCALING + "yarn_attn_factor";
    private static final String EXTRAPOLATION = SCALING + "yarn_ext_factor";
    private static final String LOG_MULTIPLIER = SCALING + "yarn_log_multiplier";
    private static final String BETA_FAST = SCALING + "yarn_beta_fast";
    private static final String BETA_SLOW = SCALING + "yarn_beta_slow";
    private static final String OWN_TYPE = "yangtuo.rope.scaling.type";
    private static final String OWN_FACTOR = "yangtuo.rope.scaling.factor";
    private static final String OWN_ORIGINAL = "yangtuo.rope.scaling.original_context_length";
    private static final String OWN_TRUNCATE = "yangtuo.rope.scaling.yarn_truncate";
    private static final String WINDOW = "llama.attention.sliding_window";
    private static final String WINDOW_LAYERS = "llama.attention.sliding_window_pattern";

    private final GgufCheckpoint checkpoint;
    private final Path file;
    private final GgufMetadata metadata;

    private GgufRope(GgufCheckpoint checkpoint) {
        this.checkpoint = checkpoint;
        this.file = checkpoint.path();
        this.metadata = checkpoint.metadata();
    }

    /**
     * Reads what the angles follow from.
     *
     * @throws IllegalArgumentException if a value makes no sense
     */
    static RopeConfig read(GgufCheckpoint checkpoint, int headDim, int contextLength) {
        GgufRope rope = new GgufRope(checkpoint);
        RopeScaling scaling = rope.keyed(contextLength);
        RopeScaling.Factors factors = rope.factors(headDim);
        if (factors != null && !scaling.equals(RopeScaling.NONE)) {
            throw new UnsupportedModelException(rope.file, "it has both the RoPE scaling '%s' and the factors '%s', which cannot be computed"
                    .formatted(scaling.name(), FACTORS));
        }
        return new RopeConfig(rope.metadata.number(BASE, THETA), factors == null ? scaling : factors);
    }

    private RopeScaling keyed(int contextLength) {
        if (metadata.contains(OWN_TYPE)) {
            return own();
        }
        String type = metadata.string(TYPE, metadata.contains(FACTOR) || metadata.contains(OLD_FACTOR) ? "linear" : "none");
        if (!type.equals("yarn")) {
            requireNumber(ATTENTION, 1);
        }
        float factor = metadata.number(FACTOR, metadata.number(OLD_FACTOR, 1f));
        return switch (type) {
            case "none" -> RopeScaling.NONE;
            case "linear" -> factor == 1f ? RopeScaling.NONE : new RopeScaling.Linear(factor);
            case "yarn" -> yarn(factor, contextLength);
            default -> throw new UnsupportedModelException(
                    file, "%s is '%s', which cannot be computed; 'linear' and 'yarn' can".formatted(TYPE, type));
        };
    }

    private RopeScaling own() {
        String type = metadata.string(OWN_TYPE);
        if (!type.equals("dynamic")) {
            throw new CheckpointFormatException(file, "%s is '%s'; only 'dynamic' is under this key".formatted(OWN_TYPE, type));
        }
        return new RopeScaling.Dynamic(metadata.number(OWN_FACTOR), metadata.integer(OWN_ORIGINAL));
    }

    private RopeScaling yarn(float factor, int contextLength) {
        if (metadata.number(EXTRAPOLATION, -1f) >= 0) { // negative: not set
            requireNumber(EXTRAPOLATION, 1);
        }
        requireNumber(LOG_MULTIPLIER, 0);
        RopeScaling.Yarn usual = RopeScaling.Yarn.of(factor, metadata.integer(ORIGINAL, contextLength));
        return new RopeScaling.Yarn(
                factor,
                usual.originalContext(),
                metadata.number(WHOLE_ATTENTION, usual.attentionFactor() * metadata.number(ATTENTION, 1f)),
                metadata.number(BETA_FAST, usual.betaFast()),
                metadata.number(BETA_SLOW, usual.betaSlow()),
                metadata.flag(OWN_TRUNCATE, true));
    }

    private void requireNumber(String key, float expected) {
        if (metadata.number(key, expected) != expected) {
            throw new UnsupportedModelException(file, "%s is %s, which cannot be computed; %s can".formatted(key, metadata.number(key), expected));
        }
    }

    private RopeScaling.@Nullable Factors factors(int headDim) {
        TensorInfo tensor = checkpoint.find(FACTORS);
        if (tensor == null) {
            return null;
        }
        if (!tensor.shape().equals(List.of(headDim / 2L))) {
            throw new CheckpointFormatException(file, "tensor '%s' has shape %s, must be [%d], one factor for each pair of a head"
                    .formatted(FACTORS, tensor.shape(), headDim / 2));
        }
        FloatRows rows = checkpoint.rows(tensor);
        float[] values = new float[headDim / 2];
        rows.read(0, 1, values, 0);
        List<Float> factors = new ArrayList<>();
        boolean neutral = true;
        for (float value : values) {
            factors.add(value);
            neutral &= value == 1f;
        }
        return neutral ? null : new RopeScaling.Factors(factors);
    }

    /**
     * Reads how far attention looks back.
     *
     * @throws IllegalArgumentException if the value makes no sense
     */
    static SlidingWindow readWindow(GgufCheckpoint checkpoint, int layers) {
        GgufMetadata metadata = checkpoint.metadata();
        int positions = metadata.integer(WINDOW, 0);
        if (positions == 0 || !metadata.contains(WINDOW_LAYERS)) {
            return SlidingWindow.of(positions);
        }
        if (!(metadata.value(WINDOW_LAYERS) instanceof boolean[] pattern) || pattern.length != layers) {
            throw new CheckpointFormatException(
                    checkpoint.path(), "%s is no array of true and false for each of the %d layers".formatted(WINDOW_LAYERS, layers));
        }
        Set<Integer> full = new HashSet<>();
        for (int layer = 0; layer < layers; layer++) {
            if (!pattern[layer]) {
                full.add(layer);
            }
        }
        return new SlidingWindow(positions, full);
    }

    /** Writes both; {@link #factorsToWrite} has what belongs into a tensor. */
    static void put(GgufPairs pairs, ModelConfig config) {
        RopeConfig rope = config.rope();
        pairs.put(BASE, rope.theta());
        switch (rope.scaling()) {
            case RopeScaling.None _, RopeScaling.Llama3 _, RopeScaling.Factors _ -> { }
            case RopeScaling.Linear linear -> pairs.put(TYPE, linear.name()).put(FACTOR, linear.factor());
            case RopeScaling.Ntk ntk -> pairs.put(BASE, Rope.ntkTheta(rope.theta(), config.headDim(), ntk.factor()));
            // llama.cpp ends at a type that it does not know; without scaling it is right up to the original context.
            case RopeScaling.Dynamic dynamic -> pairs.put(TYPE, "none")
                    .put(OWN_TYPE, dynamic.name())
                    .put(OWN_FACTOR, dynamic.factor())
                    .put(OWN_ORIGINAL, dynamic.originalContext());
            case RopeScaling.Yarn yarn -> putYarn(pairs, yarn);
        }
        putWindow(pairs, config);
    }

    private static void putYarn(GgufPairs pairs, RopeScaling.Yarn yarn) {
        pairs.put(TYPE, yarn.name())
                .put(FACTOR, yarn.factor())
                .put(ORIGINAL, yarn.originalContext())
                .put(BETA_FAST, yarn.betaFast())
                .put(BETA_SLOW, yarn.betaSlow());
        if (!yarn.hasUsualAttentionFactor()) {
            pairs.put(ATTENTION, yarn.attentionFactor() / RopeScaling.Yarn.attentionFactor(yarn.factor()))
                    .put(WHOLE_ATTENTION, yarn.attentionFactor());
        }
        if (!yarn.truncate()) {
            pairs.put(OWN_TRUNCATE, false);
        }
    }

    private static void putWindow(GgufPairs pairs, ModelConfig config) {
        SlidingWindow window = config.window();
        if (window.positions() == 0) {
            return;
        }
        pairs.put(WINDOW, window.positions());
        if (!window.fullLayers().isEmpty()) {
            boolean[] pattern = new boolean[config.nLayers()];
            for (int layer = 0; layer < pattern.length; layer++) {
                pattern[layer] = window.ofLayer(layer) > 0;
            }
            pairs.put(WINDOW_LAYERS, pattern);
        }
    }

    /** The elements of {@link #FACTORS}; empty if a model needs no such tensor. */
    static List<Float> factorsToWrite(ModelConfig config) {
        return switch (config.rope().scaling()) {
            case RopeScaling.Llama3 llama3 -> Rope.llama3Factors(config.headDim(), config.rope().theta(), llama3);
            case RopeScaling.Factors factors -> factors.values();
            default -> List.of();
        };
    }
}
