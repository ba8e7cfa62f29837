package dev.yangtuo.model;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.yangtuo.checkpoint.PlannedTensor;
import dev.yangtuo.sampling.SamplingOptions;
import dev.yangtuo.tensor.TensorType;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/** Makes {@code config.json} and {@code generation_config.json}. */
final class HuggingFaceFiles {
    private final MergedModel model;
    private final List<PlannedTensor> tensors;

    /** @param tensors under Hugging Face's names */
    HuggingFaceFiles(MergedModel model, List<PlannedTensor> tensors) {
        this.model = model;
        this.tensors = tensors;
    }

    ObjectNode config() {
        ModelConfig config = model.config();
        ObjectNode json = new ObjectMapper().createObjectNode();
        // transformers' Llama has no window; Mistral is the same model with one.
        boolean windowed = config.window().positions() > 0;
        json.putArray("architectures").add(windowed ? "MistralForCausalLM" : "LlamaForCausalLM");
        json.put("model_type", windowed ? "mistral" : "llama")
                .put("vocab_size", config.vocabSize())
                .put("hidden_size", config.dim())
                .put("intermediate_size", config.hiddenDim())
                .put("num_hidden_layers", config.nLayers())
                .put("num_attention_heads", config.nHeads())
                .put("num_key_value_heads", config.nKvHeads())
                .put("head_dim", config.headDim())
                .put("max_position_embeddings", config.contextLength())
                .put("rms_norm_eps", config.normEps())
                .put("hidden_act", "silu")
                .put("attention_bias", hasBias("self_attn."))
                .put("mlp_bias", hasBias("mlp."))
                .put("tie_word_embeddings", config.tiedEmbeddings())
                .put("torch_dtype", torchType());
        HuggingFaceRope.put(json, config, model.path());
        if (windowed) {
            putWindow(json, config);
        }
        putIds(json);
        return json;
    }

    private static void putWindow(ObjectNode json, ModelConfig config) {
        json.put("sliding_window", config.window().positions());
        if (!config.window().fullLayers().isEmpty()) {
            ArrayNode types = json.putArray("layer_types");
            for (int layer = 0; layer < config.nLayers(); layer++) {
                types.add(config.windowOf(layer) > 0 ? HuggingFaceConfig.SLIDING : HuggingFaceConfig.FULL);
            }
        }
    }

    /** Read back, it recommends the same. */
    ObjectNode generation() {
        SamplingOptions sampling = model.generation().sampling();
        ObjectNode json = new ObjectMapper().createObjectNode();
        json.put("do_sample", sampling.temperature() > 0);
        if (sampling.temperature() > 0) {
            json.put("temperature", sampling.temperature())
                    .put("top_k", sampling.topK())
                    .put("top_p", sampling.topP())
                    .put("min_p", sampling.minP());
            if (sampling.truncation().typicalP() < 1) {
                json.put("typical_p", sampling.truncation().typicalP());
            }
        }
        json.put("repetition_penalty", sampling.repeatPenalty());
        json.put("max_new_tokens", model.generation().maxTokens());
        putIds(json);
        return json;
    }

    private void putIds(ObjectNode json) {
        putId(json, "bos_token_id", model.tokenizer().bosId());
        Set<Integer> ends = model.endIds();
        if (ends.size() > 1) {
            ends.forEach(json.putArray("eos_token_id")::add);
        } else {
            putId(json, "eos_token_id", ends.isEmpty() ? -1 : ends.iterator().next());
        }
        putId(json, "pad_token_id", model.tokenizer().padId());
    }

    private static void putId(ObjectNode json, String name, int id) {
        if (id < 0) {
            json.putNull(name);
        } else {
            json.put(name, id);
        }
    }

    private boolean hasBias(String part) {
        return tensors.stream().anyMatch(tensor -> tensor.name().contains(part) && tensor.name().endsWith(".bias"));
    }

    /** That of most bytes. */
    private String torchType() {
        Map<TensorType, Long> bytes = new EnumMap<>(TensorType.class);
        tensors.forEach(tensor -> bytes.merge(tensor.type(), tensor.byteSize(), Long::sum));
        TensorType type = bytes.entrySet().stream().max(Map.Entry.comparingByValue()).orElseThrow().getKey();
        return switch (type) {
            case F32 -> "float32";
            case F16 -> "float16";
            case BF16 -> "bfloat16";
            default -> throw new IllegalStateException("a directory has no tensors of the type " + type.name().toLowerCase(Locale.ROOT));
        };
    }
}
