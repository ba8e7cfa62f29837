package dev.yangtuo.model;

import dev.yangtuo.checkpoint.JsonFile;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Reads the {@code config.json} of a Hugging Face directory. What would change the result and is not computed is refused by name. */
final class HuggingFaceConfig {
    static final String FILE_NAME = "config.json";

    private static final Set<String> MODEL_TYPES = Set.of("llama", "mistral");

    private HuggingFaceConfig() {}

    static ModelConfig read(Path file) {
        ConfigReader config = new ConfigReader(file, JsonFile.readObject(file));
        refuseForeign(config);
        int dim = config.requiredInt("hidden_size");
        int heads = config.requiredInt("num_attention_heads");
        if (heads < 1) {
            throw config.problem("\"num_attention_heads\" is %d, must be at least 1".formatted(heads));
        }
        if (!config.has("head_dim") && dim % heads != 0) {
            throw config.problem("\"hidden_size\" is %d, not a multiple of \"num_attention_heads\", %d".formatted(dim, heads));
        }
        try {
            return new ModelConfig(
                    dim,
                    config.requiredInt("intermediate_size"),
                    config.requiredInt("num_hidden_layers"),
                    heads,
                    config.intValue("num_key_value_heads", heads),
                    config.intValue("head_dim", dim / heads),
                    config.requiredInt("vocab_size"),
                    config.intValue("max_position_embeddings", 2048),
                    config.floatValue("rms_norm_eps", 1e-6f),
                    ropeTheta(config),
                    ropeScale(config),
                    config.booleanValue("tie_word_embeddings", false),
                    config.ids("eos_token_id"));
        } catch (IllegalArgumentException e) {
            throw config.problem(String.valueOf(e.getMessage()));
        }
    }

    /** The biases that every layer must have. */
    static Set<LayerParameter> biases(Path file) {
        ConfigReader config = new ConfigReader(file, JsonFile.readObject(file));
        Set<LayerParameter> biases = EnumSet.noneOf(LayerParameter.class);
        if (config.booleanValue("attention_bias", false)) {
            biases.addAll(LayerParameter.ATTENTION_BIASES);
        }
        if (config.booleanValue("mlp_bias", false)) {
            biases.addAll(LayerParameter.FFN_BIASES);
        }
        return biases;
    }

    private static void refuseForeign(ConfigReader config) {
        String type = config.text("model_type");
        if (type != null && !MODEL_TYPES.contains(type)) {
            throw config.problem("\"model_type\" is \"%s\"; models of the LLaMA family (\"llama\") can be run".formatted(type));
        }
        String activation = config.text("hidden_act");
        if (activation != null && !activation.equals("silu") && !activation.equals("swish")) {
            throw config.problem("\"hidden_act\" is \"%s\"; only \"silu\" is computed".formatted(activation));
        }
        for (String field : List.of("quantization_config", "sliding_window")) {
            if (config.has(field)) {
                throw config.problem("it has \"%s\", which is not understood; use an unquantized LLaMA checkpoint".formatted(field));
            }
        }
        if (config.floatValue("partial_rotary_factor", 1f) != 1f) {
            throw config.problem("\"partial_rotary_factor\" is not 1; heads that are rotated in part cannot be run");
        }
    }

    private static float ropeTheta(ConfigReader config) {
        ConfigReader parameters = config.object("rope_parameters");
        float theta = config.floatValue("rope_theta", 10_000f);
        return parameters == null ? theta : parameters.floatValue("rope_theta", theta);
    }

    private static float ropeScale(ConfigReader config) {
        ConfigReader scaling = config.object("rope_scaling");
        if (scaling == null) {
            scaling = config.object("rope_parameters");
        }
        if (scaling == null) {
            return 1f;
        }
        String type = kind(scaling);
        if (type == null && scaling.floatValue("factor", 1f) != 1f) {
            throw config.problem("RoPE scaling with a \"factor\", but without a \"rope_type\" that says what it means");
        }
        if (type == null || type.equals("default")) {
            return 1f;
        }
        if (!type.equals("linear")) {
            throw config.problem("RoPE scaling \"%s\" cannot be computed; \"linear\" can".formatted(type));
        }
        if (!scaling.has("factor")) {
            throw config.problem("linear RoPE scaling without a \"factor\"");
        }
        return scaling.floatValue("factor", 1f);
    }

    private static @Nullable String kind(ConfigReader scaling) {
        String type = scaling.text("rope_type");
        return type == null ? scaling.text("type") : type;
    }
}
