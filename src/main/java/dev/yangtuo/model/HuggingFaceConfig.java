package dev.yangtuo.model;

import dev.yangtuo.checkpoint.JsonFile;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.function.IntPredicate;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Reads the {@code config.json} of a Hugging Face directory. What would change the result and is not computed is refused by name. */
final class HuggingFaceConfig {
    static final String FILE_NAME = "config.json";

    private static final Set<String> MODEL_TYPES = Set.of("llama", "mistral");
    /** A layer's attention looks back as far as the window. */
    static final String SLIDING = "sliding_attention";
    static final String FULL = "full_attention";
    private static final List<String> LAYER_TYPES = List.of(FULL, SLIDING);

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
        int contextLength = config.intValue("max_position_embeddings", 2048);
        try {
            return new ModelConfig(
                    dim,
                    config.requiredInt("intermediate_size"),
                    config.requiredInt("num_hidden_layers"),
                    heads,
                    config.intValue("num_key_value_heads", heads),
                    config.intValue("head_dim", dim / heads),
                    config.requiredInt("vocab_size"),
                    contextLength,
                    config.floatValue("rms_norm_eps", 1e-6f),
                    HuggingFaceRope.read(config, contextLength),
                    window(config, config.requiredInt("num_hidden_layers")),
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
        if (config.has("quantization_config")) {
            throw config.problem("it has \"quantization_config\", which is not understood; use an unquantized LLaMA checkpoint");
        }
        if (config.floatValue("partial_rotary_factor", 1f) != 1f) {
            throw config.problem("\"partial_rotary_factor\" is not 1; heads that are rotated in part cannot be run");
        }
    }

    /**
     * Mistral's {@code sliding_window}; Qwen2's with {@code use_sliding_window}, for the layers from {@code max_window_layers} on or those that
     * {@code layer_types} names.
     */
    private static SlidingWindow window(ConfigReader config, int layers) {
        if (!config.booleanValue("use_sliding_window", true)) {
            return SlidingWindow.NONE;
        }
        List<String> types = config.texts("layer_types");
        if (!config.has("sliding_window")) {
            if (config.has("use_sliding_window") || types.contains(SLIDING)) {
                throw config.problem("it asks for a sliding window without saying how long it is (\"sliding_window\")");
            }
            return SlidingWindow.NONE;
        }
        int positions = config.intValue("sliding_window", 0);
        if (positions < 1) {
            throw config.problem("\"sliding_window\" is %d, must be at least 1".formatted(positions));
        }
        int first = config.intValue("max_window_layers", 0);
        if (first < 0) {
            throw config.problem("\"max_window_layers\" is %d, must not be negative".formatted(first));
        }
        IntPredicate isFull = types.isEmpty() ? layer -> layer < first : layer -> !types.get(layer).equals(SLIDING);
        if (!types.isEmpty() && (types.size() != layers || !LAYER_TYPES.containsAll(types))) {
            throw config.problem("\"layer_types\" is %s, must have one of %s for each of the %d layers".formatted(types, LAYER_TYPES, layers));
        }
        // More layers than a model may have are refused later.
        Set<Integer> full = IntStream.range(0, Math.min(layers, ModelConfig.MAX_LAYERS)).filter(isFull).boxed().collect(Collectors.toSet());
        return full.size() == layers ? SlidingWindow.NONE : new SlidingWindow(positions, full);
    }
}
