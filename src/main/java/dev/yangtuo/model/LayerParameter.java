package dev.yangtuo.model;

import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The parameters of a transformer layer, by the names that Hugging Face, GGUF and Meta give them, in the order in which they are used. Most models have no
 * biases.
 */
enum LayerParameter {
    ATTENTION_NORM("input_layernorm", "attn_norm", "attention_norm"),
    Q("self_attn.q_proj", "attn_q", "attention.wq"),
    Q_BIAS(Q),
    K("self_attn.k_proj", "attn_k", "attention.wk"),
    K_BIAS(K),
    V("self_attn.v_proj", "attn_v", "attention.wv"),
    V_BIAS(V),
    O("self_attn.o_proj", "attn_output", "attention.wo"),
    O_BIAS(O),
    FFN_NORM("post_attention_layernorm", "ffn_norm", "ffn_norm"),
    GATE("mlp.gate_proj", "ffn_gate", "feed_forward.w1"),
    GATE_BIAS(GATE),
    UP("mlp.up_proj", "ffn_up", "feed_forward.w3"),
    UP_BIAS(UP),
    DOWN("mlp.down_proj", "ffn_down", "feed_forward.w2"),
    DOWN_BIAS(DOWN);

    /** What Hugging Face's {@code attention_bias} stands for. */
    static final List<LayerParameter> ATTENTION_BIASES = List.of(Q_BIAS, K_BIAS, V_BIAS, O_BIAS);
    /** What Hugging Face's {@code mlp_bias} stands for. */
    static final List<LayerParameter> FFN_BIASES = List.of(GATE_BIAS, UP_BIAS, DOWN_BIAS);

    private static final Pattern LAYER = Pattern.compile("model\\.layers\\.(0|[1-9][0-9]{0,8})\\..*");

    private final String huggingFaceName;
    private final String ggufName;
    private final String metaName;
    private final @Nullable LayerParameter weight;

    LayerParameter(String huggingFaceName, String ggufName, String metaName) {
        this.huggingFaceName = huggingFaceName;
        this.ggufName = ggufName;
        this.metaName = metaName;
        this.weight = null;
    }

    /** The bias of a weight. */
    LayerParameter(LayerParameter weight) {
        this.huggingFaceName = weight.huggingFaceName;
        this.ggufName = weight.ggufName;
        this.metaName = weight.metaName;
        this.weight = weight;
    }

    /** {@code model.layers.3.self_attn.q_proj.weight}: the name by which the library knows it. */
    String name(int layer) {
        return "model.layers." + layer + "." + huggingFaceName + suffix();
    }

    /** The layer of the parameter of this name, if it is this parameter of one; else null. */
    @Nullable Integer layerOf(String name) {
        Matcher matcher = LAYER.matcher(name);
        return matcher.matches() && name(Integer.parseInt(matcher.group(1))).equals(name) ? Integer.valueOf(matcher.group(1)) : null;
    }

    /** {@code blk.3.attn_q.weight}. */
    String ggufName(int layer) {
        return "blk." + layer + "." + ggufName + suffix();
    }

    /** {@code layers.3.attention.wq.weight}. */
    String metaName(int layer) {
        return "layers." + layer + "." + metaName + suffix();
    }

    private String suffix() {
        return isBias() ? ".bias" : ".weight";
    }

    /** Whether it is a bias, which a model need not have. */
    boolean isBias() {
        return weight != null;
    }

    /** Whether it is a vector. */
    boolean isVector() {
        return isBias() || this == ATTENTION_NORM || this == FFN_NORM;
    }

    /** Whether its rows, or a bias' elements, are rotated by RoPE, so that their order matters. */
    boolean isRotated() {
        return this == Q || this == K || weight == Q || weight == K;
    }

    /** Row-major shape. */
    List<Long> shape(ModelConfig config) {
        return switch (this) {
            case ATTENTION_NORM, FFN_NORM, O_BIAS, DOWN_BIAS -> List.of((long) config.dim());
            case Q -> List.of((long) config.qDim(), (long) config.dim());
            case Q_BIAS -> List.of((long) config.qDim());
            case K, V -> List.of((long) config.kvDim(), (long) config.dim());
            case K_BIAS, V_BIAS -> List.of((long) config.kvDim());
            case O -> List.of((long) config.dim(), (long) config.qDim());
            case GATE, UP -> List.of((long) config.hiddenDim(), (long) config.dim());
            case GATE_BIAS, UP_BIAS -> List.of((long) config.hiddenDim());
            case DOWN -> List.of((long) config.dim(), (long) config.hiddenDim());
        };
    }
}
