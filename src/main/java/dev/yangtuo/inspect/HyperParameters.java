package dev.yangtuo.inspect;

import com.fasterxml.jackson.databind.JsonNode;
import dev.yangtuo.checkpoint.GgufMetadata;
import dev.yangtuo.checkpoint.Llama2cCheckpoint;
import dev.yangtuo.model.ModelConfig;
import dev.yangtuo.model.RopeScaling;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Hyper-parameters under one set of names, whatever the format and the architecture. They are what the files say, of any type; of a model
 * that can be run they are what it is run with, defaults included.
 */
final class HyperParameters {
    /**
     * Where a hyper-parameter is.
     *
     * @param name what it is called here
     * @param json its names in Hugging Face's config.json and in other JSON, the most frequent first
     * @param gguf its key in GGUF behind the architecture, or empty
     */
    private record Place(String name, List<String> json, String gguf) {}

    private static final List<Place> PLACES = List.of(
            new Place("dim", List.of("hidden_size", "n_embd", "d_model", "dim"), "embedding_length"),
            new Place("hidden_dim", List.of("intermediate_size", "n_inner", "ffn_dim"), "feed_forward_length"),
            new Place("layers", List.of("num_hidden_layers", "n_layer", "n_layers"), "block_count"),
            new Place("heads", List.of("num_attention_heads", "n_head", "n_heads"), "attention.head_count"),
            new Place("kv_heads", List.of("num_key_value_heads", "n_kv_heads"), "attention.head_count_kv"),
            new Place("head_dim", List.of("head_dim"), "attention.key_length"),
            new Place("vocab_size", List.of("vocab_size"), "vocab_size"),
            new Place("context_length", List.of("max_position_embeddings", "n_positions", "max_seq_len"), "context_length"),
            new Place("norm_eps", List.of("rms_norm_eps", "norm_eps", "layer_norm_eps"), "attention.layer_norm_rms_epsilon"),
            new Place("rope_theta", List.of("rope_theta"), "rope.freq_base"),
            new Place("rope_scaling", List.of(), "rope.scaling.type"),
            new Place("rope_scaling_factor", List.of(), "rope.scaling.factor"),
            new Place("rope_original_context", List.of("original_max_position_embeddings"), "rope.scaling.original_context_length"),
            new Place("sliding_window", List.of("sliding_window"), "attention.sliding_window"),
            new Place("experts", List.of("num_local_experts", "num_experts", "n_routed_experts"), "expert_count"),
            new Place("experts_used", List.of("num_experts_per_tok"), "expert_used_count"),
            new Place("tied_embeddings", List.of("tie_word_embeddings"), ""));

    private HyperParameters() {}

    /** Those of a JSON configuration; multimodal models keep those of the text in an object of its own. */
    static SequencedMap<String, @Nullable Object> of(JsonNode config) {
        JsonNode text = config.path("text_config");
        JsonNode root = !config.hasNonNull("hidden_size") && text.isObject() ? text : config;
        SequencedMap<String, @Nullable Object> values = collect(place -> firstOf(root, place.json()));
        JsonNode scaling = root.path("rope_scaling").isObject() ? root.path("rope_scaling") : root.path("rope_parameters");
        if (values.get("rope_theta") == null) {
            values.put("rope_theta", firstOf(scaling, List.of("rope_theta")));
        }
        values.put("rope_scaling", firstOf(scaling, List.of("rope_type", "type")));
        values.put("rope_scaling_factor", firstOf(scaling, List.of("factor")));
        if (values.get("rope_original_context") == null) {
            values.put("rope_original_context", firstOf(scaling, List.of("original_max_position_embeddings")));
        }
        return values;
    }

    /** Those of the header of a llama2.c file. */
    static SequencedMap<String, @Nullable Object> of(Llama2cCheckpoint.Header header) {
        SequencedMap<String, @Nullable Object> values = collect(place -> null);
        values.put("dim", header.dim());
        values.put("hidden_dim", header.hiddenDim());
        values.put("layers", header.layers());
        values.put("heads", header.heads());
        values.put("kv_heads", header.kvHeads());
        values.put("head_dim", header.headDim());
        values.put("vocab_size", header.vocabSize());
        values.put("context_length", header.contextLength());
        values.put("tied_embeddings", header.tied());
        return values;
    }

    /**
     * Those of a GGUF file of any architecture.
     *
     * @param tied whether it has an embedding that serves as the output matrix, null if it has no embedding
     */
    static SequencedMap<String, @Nullable Object> of(GgufMetadata metadata, String architecture, @Nullable Boolean tied) {
        SequencedMap<String, @Nullable Object> values = collect(place -> {
            String key = architecture + "." + place.gguf();
            return !place.gguf().isEmpty() && metadata.contains(key) ? metadata.value(key) : null;
        });
        values.put("tied_embeddings", tied);
        return values;
    }

    /** Those of a model that can be run. */
    static void put(SequencedMap<String, @Nullable Object> values, ModelConfig config) {
        values.put("dim", config.dim());
        values.put("hidden_dim", config.hiddenDim());
        values.put("layers", config.nLayers());
        values.put("heads", config.nHeads());
        values.put("kv_heads", config.nKvHeads());
        values.put("head_dim", config.headDim());
        values.put("vocab_size", config.vocabSize());
        values.put("context_length", config.contextLength());
        values.put("norm_eps", config.normEps());
        values.put("rope_theta", config.rope().theta());
        putScaling(values, config.rope().scaling());
        values.put("sliding_window", config.window().positions() == 0 ? null : config.window().positions());
        values.put("tied_embeddings", config.tiedEmbeddings());
    }

    private static void putScaling(SequencedMap<String, @Nullable Object> values, RopeScaling scaling) {
        values.put("rope_scaling", scaling.equals(RopeScaling.NONE) ? null : scaling.name());
        values.put("rope_scaling_factor", scaling instanceof RopeScaling.ByFactor byFactor ? byFactor.factor() : null);
        values.put("rope_original_context", scaling instanceof RopeScaling.FromContext fromContext ? fromContext.originalContext() : null);
    }

    private static SequencedMap<String, @Nullable Object> collect(Function<Place, @Nullable Object> lookup) {
        SequencedMap<String, @Nullable Object> values = new LinkedHashMap<>();
        for (Place place : PLACES) {
            values.put(place.name(), lookup.apply(place));
        }
        return values;
    }

    private static @Nullable JsonNode firstOf(JsonNode object, List<String> keys) {
        for (String key : keys) {
            if (object.hasNonNull(key)) {
                return object.get(key);
            }
        }
        return null;
    }
}
