package dev.yangtuo.llamacpp;

import dev.yangtuo.checkpoint.GgufBuilder;
import dev.yangtuo.tensor.TensorType;
import java.nio.file.Path;
import java.util.Random;
import java.util.function.Supplier;
import java.util.function.ToIntFunction;

/**
 * Small models of architectures that only llama.cpp computes, with random weights that are the same each time: under a megabyte, float32, and their logits differ
 * from each other and from position to position.
 */
public final class SyntheticGguf {
    private static final int DIM = 64;
    private static final int CONTEXT = 512;
    private static final float EPSILON = 1e-5f;
    /** Over that of freshly initialised weights, so that the layers change what they are given, and some tokens are likely. */
    private static final double GAIN = 2;

    private final GgufBuilder gguf = new GgufBuilder();
    private final Random random = new Random(7);
    private final String architecture;
    private final int layers;

    private SyntheticGguf(String architecture, int layers) {
        this.architecture = architecture;
        this.layers = layers;
        gguf.put("general.architecture", architecture)
                .put("general.name", "synthetic " + architecture)
                .put("general.file_type", 0);
        put("context_length", CONTEXT);
        put("embedding_length", DIM);
        put("block_count", layers);
        put("attention.layer_norm_rms_epsilon", EPSILON);
    }

    /** Qwen 2: four heads over two of keys and values, with biases; its output matrix is the embedding where {@code tied}. */
    public static GgufBuilder qwen2(VocabularyKind vocabulary, boolean tied) {
        SyntheticGguf made = new SyntheticGguf("qwen2", 3);
        made.putAttention(4, 2, 16, 96);
        made.put("rope.freq_base", 1_000_000f);
        made.ends(vocabulary, tied);
        for (int layer = 0; layer < made.layers; layer++) {
            made.attention(layer, 4, 2, 16, true);
            made.feedForward(layer, 96);
        }
        return made.gguf;
    }

    /** What a model of the architecture of LLaMA, which both engines compute, has beside the plain one's. */
    public enum LlamaKind {
        /** As many heads of keys and values as of queries. */
        PLAIN,
        /** One head of keys and values for four of queries. */
        GROUPED,
        /** Biases in the attention. */
        BIASED,
        /** The embedding is the output matrix. */
        TIED,
        /** RoPE's positions divided by four. */
        LINEAR,
        /** YaRN from a quarter of the context. */
        YARN,
        /** Llama 3.1's scaling: a factor for each frequency. */
        LLAMA3,
        /** Mistral's: each layer sees the last 16 tokens only, which llama.cpp knows of other architectures only. */
        WINDOW
    }

    /** The position from which {@link LlamaKind#WINDOW} differs from a model without a window. */
    public static final int WINDOW = 16;

    /** LLaMA, in one of its kinds. */
    public static GgufBuilder llama(LlamaKind kind, VocabularyKind vocabulary) {
        int kvHeads = kind == LlamaKind.GROUPED ? 1 : 4;
        SyntheticGguf made = new SyntheticGguf("llama", 3);
        made.putAttention(4, kvHeads, 16, 96);
        made.put("rope.dimension_count", 16);
        made.put("rope.freq_base", 10_000f);
        if (kind == LlamaKind.LINEAR || kind == LlamaKind.YARN) {
            made.put("rope.scaling.type", kind == LlamaKind.YARN ? "yarn" : "linear");
            made.put("rope.scaling.factor", 4f);
            made.put("rope.scaling.original_context_length", CONTEXT / 4);
        }
        if (kind == LlamaKind.WINDOW) {
            made.put("attention.sliding_window", WINDOW);
        }
        made.ends(vocabulary, kind == LlamaKind.TIED);
        if (kind == LlamaKind.LLAMA3) {
            made.gguf.tensor("rope_freqs.weight", TensorType.F32, new float[] {1, 1, 1, 1.5f, 2, 4, 8, 8}, 8);
        }
        for (int layer = 0; layer < made.layers; layer++) {
            made.attention(layer, 4, kvHeads, 16, kind == LlamaKind.BIASED);
            made.feedForward(layer, 96);
        }
        return made.gguf;
    }

    /** Gemma 3: heads wider than the model has room for, norms everywhere, and every other layer sees the last 16 tokens only. */
    public static GgufBuilder gemma3(VocabularyKind vocabulary) {
        SyntheticGguf made = new SyntheticGguf("gemma3", 2);
        made.putAttention(2, 1, 48, 96);
        made.put("rope.freq_base", 1_000_000f);
        made.put("rope.freq_base_swa", 10_000f);
        made.put("attention.sliding_window", 16);
        made.put("attention.sliding_window_pattern", 2);
        made.ends(vocabulary, false);
        for (int layer = 0; layer < made.layers; layer++) {
            made.attention(layer, 2, 1, 48, false);
            made.norm("blk.%d.attn_q_norm.weight", layer, 48);
            made.norm("blk.%d.attn_k_norm.weight", layer, 48);
            made.norm("blk.%d.post_attention_norm.weight", layer, DIM);
            made.feedForward(layer, 96);
            made.norm("blk.%d.post_ffw_norm.weight", layer, DIM);
        }
        return made.gguf;
    }

    /** Mamba: no attention, but a state for each text that every token changes and that cannot be taken back. */
    public static GgufBuilder mamba(VocabularyKind vocabulary) {
        int inner = 2 * DIM;
        int state = 8;
        int kernel = 4;
        int rank = 4;
        SyntheticGguf made = new SyntheticGguf("mamba", 2);
        made.put("feed_forward_length", 0);
        made.put("attention.head_count", 0);
        made.put("ssm.conv_kernel", kernel);
        made.put("ssm.inner_size", inner);
        made.put("ssm.state_size", state);
        made.put("ssm.time_step_rank", rank);
        made.ends(vocabulary, true);
        for (int layer = 0; layer < made.layers; layer++) {
            made.norm("blk.%d.attn_norm.weight", layer, DIM);
            made.matrix("blk.%d.ssm_in.weight", layer, 2 * inner, DIM);
            made.matrix("blk.%d.ssm_conv1d.weight", layer, inner, kernel);
            made.vector("blk.%d.ssm_conv1d.bias", layer, inner, () -> 0.1 * made.random.nextGaussian());
            made.matrix("blk.%d.ssm_x.weight", layer, rank + 2 * state, inner);
            made.matrix("blk.%d.ssm_dt.weight", layer, inner, rank);
            made.vector("blk.%d.ssm_dt.bias", layer, inner, () -> -1 - 3 * made.random.nextDouble());
            made.decay(layer, inner, state);
            made.vector("blk.%d.ssm_d", layer, inner, () -> 1.0);
            made.matrix("blk.%d.ssm_out.weight", layer, DIM, inner);
        }
        return made.gguf;
    }

    /** A vocabulary of LLaMA's architecture, without weights. */
    static GgufBuilder vocabulary(ToIntFunction<GgufBuilder> vocabulary) {
        SyntheticGguf made = new SyntheticGguf("llama", 1);
        made.putAttention(1, 1, DIM, DIM);
        vocabulary.applyAsInt(made.gguf);
        return made.gguf;
    }

    /** Writes the Qwen 2 with the vocabulary that ours knows. */
    public static Path writeQwen2(Path file) {
        return qwen2(VocabularyKind.QWEN2, false).write(file);
    }

    private void put(String key, Object value) {
        gguf.put(architecture + "." + key, value);
    }

    private void putAttention(int heads, int kvHeads, int headDim, int hiddenDim) {
        put("feed_forward_length", hiddenDim);
        put("attention.head_count", heads);
        put("attention.head_count_kv", kvHeads);
        put("attention.key_length", headDim);
        put("attention.value_length", headDim);
    }

    /** The vocabulary, and what stands before and behind the layers. */
    private void ends(VocabularyKind vocabulary, boolean tied) {
        int size = vocabulary.put(gguf);
        tensor("token_embd.weight", GAIN / Math.sqrt(DIM), size, DIM);
        if (!tied) {
            tensor("output.weight", GAIN / Math.sqrt(DIM), size, DIM);
        }
        norm("output_norm.weight", 0, DIM);
    }

    private void attention(int layer, int heads, int kvHeads, int headDim, boolean biases) {
        norm("blk.%d.attn_norm.weight", layer, DIM);
        matrix("blk.%d.attn_q.weight", layer, heads * headDim, DIM);
        matrix("blk.%d.attn_k.weight", layer, kvHeads * headDim, DIM);
        matrix("blk.%d.attn_v.weight", layer, kvHeads * headDim, DIM);
        if (biases) {
            vector("blk.%d.attn_q.bias", layer, heads * headDim, random::nextGaussian);
            vector("blk.%d.attn_k.bias", layer, kvHeads * headDim, random::nextGaussian);
            vector("blk.%d.attn_v.bias", layer, kvHeads * headDim, random::nextGaussian);
        }
        matrix("blk.%d.attn_output.weight", layer, DIM, heads * headDim);
    }

    private void feedForward(int layer, int hiddenDim) {
        norm("blk.%d.ffn_norm.weight", layer, DIM);
        matrix("blk.%d.ffn_gate.weight", layer, hiddenDim, DIM);
        matrix("blk.%d.ffn_up.weight", layer, hiddenDim, DIM);
        matrix("blk.%d.ffn_down.weight", layer, DIM, hiddenDim);
    }

    /** How fast each number of the state fades, negative: as Mamba's own weights are initialised. */
    private void decay(int layer, int inner, int state) {
        float[] values = new float[inner * state];
        for (int i = 0; i < values.length; i++) {
            values[i] = -(1 + i % state);
        }
        gguf.tensor("blk.%d.ssm_a".formatted(layer), TensorType.F32, values, inner, state);
    }

    private void norm(String name, int layer, int size) {
        vector(name, layer, size, () -> 1 + 0.2 * random.nextGaussian());
    }

    private void vector(String name, int layer, int size, Supplier<Double> value) {
        float[] values = new float[size];
        for (int i = 0; i < size; i++) {
            values[i] = value.get().floatValue();
        }
        gguf.tensor(name.formatted(layer), TensorType.F32, values, size);
    }

    private void matrix(String name, int layer, int rows, int columns) {
        tensor(name.formatted(layer), GAIN / Math.sqrt(columns), rows, columns);
    }

    private void tensor(String name, double scale, int rows, int columns) {
        float[] values = new float[rows * columns];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) (scale * random.nextGaussian());
        }
        gguf.tensor(name, TensorType.F32, values, rows, columns);
    }
}
