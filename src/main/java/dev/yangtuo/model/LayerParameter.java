package dev.yangtuo.model;

import java.util.List;

/** The parameters of a transformer layer, by the names that Hugging Face, GGUF and Meta give them, in the order in which they are used. */
enum LayerParameter {
    ATTENTION_NORM("input_layernorm", "attn_norm", "attention_norm"),
    Q("self_attn.q_proj", "attn_q", "attention.wq"),
    K("self_attn.k_proj", "attn_k", "attention.wk"),
    V("self_attn.v_proj", "attn_v", "attention.wv"),
    O("self_attn.o_proj", "attn_output", "attention.wo"),
    FFN_NORM("post_attention_layernorm", "ffn_norm", "ffn_norm"),
    GATE("mlp.gate_proj", "ffn_gate", "feed_forward.w1"),
    UP("mlp.up_proj", "ffn_up", "feed_forward.w3"),
    DOWN("mlp.down_proj", "ffn_down", "feed_forward.w2");

    private final String huggingFaceName;
    private final String ggufName;
    private final String metaName;

    LayerParameter(String huggingFaceName, String ggufName, String metaName) {
        this.huggingFaceName = huggingFaceName;
        this.ggufName = ggufName;
        this.metaName = metaName;
    }

    /** {@code model.layers.3.self_attn.q_proj.weight}: the name by which the library knows it. */
    String name(int layer) {
        return "model.layers." + layer + "." + huggingFaceName + ".weight";
    }

    /** {@code blk.3.attn_q.weight}. */
    String ggufName(int layer) {
        return "blk." + layer + "." + ggufName + ".weight";
    }

    /** {@code layers.3.attention.wq.weight}. */
    String metaName(int layer) {
        return "layers." + layer + "." + metaName + ".weight";
    }

    /** Whether it is a vector. */
    boolean isVector() {
        return this == ATTENTION_NORM || this == FFN_NORM;
    }

    /** Whether its rows are rotated by RoPE, so that their order matters. */
    boolean isRotated() {
        return this == Q || this == K;
    }

    /** Row-major shape. */
    List<Long> shape(ModelConfig config) {
        return switch (this) {
            case ATTENTION_NORM, FFN_NORM -> List.of((long) config.dim());
            case Q -> List.of((long) config.qDim(), (long) config.dim());
            case K, V -> List.of((long) config.kvDim(), (long) config.dim());
            case O -> List.of((long) config.dim(), (long) config.qDim());
            case GATE, UP -> List.of((long) config.hiddenDim(), (long) config.dim());
            case DOWN -> List.of((long) config.dim(), (long) config.hiddenDim());
        };
    }
}
