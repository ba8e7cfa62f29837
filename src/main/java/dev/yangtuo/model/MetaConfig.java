package dev.yangtuo.model;

import dev.yangtuo.checkpoint.Checkpoint;
import dev.yangtuo.checkpoint.JsonFile;
import dev.yangtuo.checkpoint.TensorInfo;
import java.nio.file.Path;
import java.util.List;

/**
 * Reads the {@code params.json} of a directory of Meta. It leaves out what follows from the weights: the vocabulary (often -1 there) and the
 * width of the feed-forward part. What would change the result and is not computed is refused by name.
 */
final class MetaConfig {
    static final String FILE_NAME = "params.json";

    private static final float ROPE_THETA = 10_000f;
    /** From here on models were trained for {@link #LONG_CONTEXT} positions: Llama 3. */
    private static final float LONG_CONTEXT_THETA = 500_000f;
    private static final int LONG_CONTEXT = 8192;
    /** Llama 3.1's. */
    private static final float ROPE_FACTOR = 8;
    private static final int SCALED_CONTEXT = 131_072;
    /** Llama 2's, and of Llama 1 the largest one's. */
    private static final float SECOND_NORM_EPS = 1e-5f;
    private static final int SECOND_CONTEXT = 4096;
    private static final int FIRST_CONTEXT = 2048;

    private MetaConfig() {}

    /** @param checkpoint has the embedding, the output matrix if there is one, and the first layer */
    static ModelConfig read(Path file, Checkpoint checkpoint) {
        ConfigReader config = new ConfigReader(file, JsonFile.readObject(file));
        refuseForeign(config);
        int dim = config.requiredInt("dim");
        int heads = config.requiredInt("n_heads");
        if (heads < 1 || !config.has("head_dim") && dim % heads != 0) {
            throw config.problem("\"dim\" is %d, \"n_heads\" is %d: the first must be a multiple of the second".formatted(dim, heads));
        }
        int vocabulary = rows(config, checkpoint.require(MetaSource.EMBEDDING_NAME));
        int announced = config.intValue("vocab_size", -1);
        if (announced > 0 && announced != vocabulary) {
            throw config.problem("\"vocab_size\" is %d, but %s has %d rows; take the files of one model".formatted(
                    announced, MetaSource.EMBEDDING_NAME, vocabulary));
        }
        float eps = config.floatValue("norm_eps", SECOND_NORM_EPS);
        float theta = config.floatValue("rope_theta", ROPE_THETA);
        try {
            return new ModelConfig(
                    dim,
                    rows(config, checkpoint.require(LayerParameter.GATE.metaName(0))),
                    config.requiredInt("n_layers"),
                    heads,
                    config.intValue("n_kv_heads", heads),
                    config.intValue("head_dim", dim / heads),
                    vocabulary,
                    config.intValue("max_seq_len", contextLength(config, eps, theta)),
                    eps,
                    new RopeConfig(theta, scaling(config)),
                    SlidingWindow.of(config.intValue("sliding_window", 0)),
                    checkpoint.find(MetaSource.OUTPUT_NAME) == null,
                    List.of());
        } catch (IllegalArgumentException e) {
            throw config.problem(String.valueOf(e.getMessage()));
        }
    }

    private static int rows(ConfigReader config, TensorInfo matrix) {
        if (matrix.shape().size() != 2 || matrix.shape().getFirst() > Integer.MAX_VALUE) {
            throw config.problem("tensor '%s' has shape %s; expected a matrix".formatted(matrix.name(), matrix.shape()));
        }
        return matrix.shape().getFirst().intValue();
    }

    /** What the models of each generation were trained for; their files do not say. */
    private static int contextLength(ConfigReader config, float eps, float theta) {
        if (isScaled(config)) {
            return SCALED_CONTEXT;
        }
        if (theta >= LONG_CONTEXT_THETA) {
            return LONG_CONTEXT;
        }
        return eps == SECOND_NORM_EPS ? SECOND_CONTEXT : FIRST_CONTEXT;
    }

    private static boolean isScaled(ConfigReader config) {
        return config.booleanValue("use_scaled_rope", false);
    }

    /** The numbers that Meta's code has for Llama 3.1, unless the file has others. */
    private static RopeScaling scaling(ConfigReader config) {
        if (!isScaled(config)) {
            return RopeScaling.NONE;
        }
        return new RopeScaling.Llama3(
                config.floatValue("rope_scaling_factor", ROPE_FACTOR),
                RopeScaling.Llama3.LOW_FACTOR,
                config.floatValue("rope_high_freq_factor", RopeScaling.Llama3.HIGH_FACTOR),
                RopeScaling.Llama3.ORIGINAL_CONTEXT);
    }

    private static void refuseForeign(ConfigReader config) {
        for (String field : List.of("moe", "moe_args", "quantization", "quantization_args", "lora", "lora_args", "vision_chunk_size")) {
            if (config.has(field)) {
                throw config.problem("it has \"%s\", which is not understood; use a plain LLaMA model".formatted(field));
            }
        }
    }
}
