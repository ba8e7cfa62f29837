package dev.yangtuo.benchmarks.loading;

import java.util.List;

/**
 * The sizes of a LLaMA model.
 *
 * @param dim width of the residual stream
 * @param hiddenDim width of the feed-forward part
 * @param layers transformer layers
 * @param heads query heads
 * @param kvHeads key/value heads
 */
record ModelShape(int dim, int hiddenDim, int layers, int heads, int kvHeads) {
    /** A projection of a layer, by Hugging Face's name: {@code [out][in]}. */
    record Projection(String name, int out, int in) {}

    /** A published shape by its name. */
    static ModelShape named(String name) {
        return switch (name) {
            case "tiny" -> new ModelShape(256, 512, 2, 4, 2);
            case "1b" -> new ModelShape(2048, 5632, 22, 32, 4);
            case "7b" -> new ModelShape(4096, 11008, 32, 32, 32);
            case "13b" -> new ModelShape(5120, 13824, 40, 40, 40);
            default -> throw new IllegalArgumentException("--shape %s: expected tiny, 1b, 7b or 13b".formatted(name));
        };
    }

    List<Projection> projections() {
        int kvDim = dim / heads * kvHeads;
        return List.of(
                new Projection("self_attn.q_proj", dim, dim),
                new Projection("self_attn.k_proj", kvDim, dim),
                new Projection("self_attn.v_proj", kvDim, dim),
                new Projection("self_attn.o_proj", dim, dim),
                new Projection("mlp.gate_proj", hiddenDim, dim),
                new Projection("mlp.up_proj", hiddenDim, dim),
                new Projection("mlp.down_proj", dim, hiddenDim));
    }

    /** {@code config.json} of a model of this shape. */
    String config(int vocabulary) {
        return """
                {
                  "architectures": ["LlamaForCausalLM"],
                  "model_type": "llama",
                  "hidden_size": %d,
                  "intermediate_size": %d,
                  "num_hidden_layers": %d,
                  "num_attention_heads": %d,
                  "num_key_value_heads": %d,
                  "vocab_size": %d,
                  "max_position_embeddings": 2048,
                  "rms_norm_eps": 1e-06,
                  "hidden_act": "silu",
                  "bos_token_id": 1,
                  "eos_token_id": 2,
                  "tie_word_embeddings": false,
                  "torch_dtype": "float16"
                }
                """.formatted(dim, hiddenDim, layers, heads, kvHeads, vocabulary);
    }
}
