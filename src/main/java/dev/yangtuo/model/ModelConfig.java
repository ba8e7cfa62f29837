package dev.yangtuo.model;

import java.util.List;

/**
 * The hyper-parameters of a LLaMA model.
 *
 * @param dim width of the residual stream
 * @param hiddenDim width of the feed-forward part
 * @param nLayers number of transformer layers
 * @param nHeads query heads
 * @param nKvHeads key/value heads; divides {@code nHeads} (equal: multi-head, fewer: grouped-query attention)
 * @param headDim elements of a head, even
 * @param vocabSize rows of the embedding
 * @param contextLength positions that the model was trained for
 * @param normEps added to the mean square in RMSNorm
 * @param rope what the angles of RoPE follow from
 * @param window how far back attention looks
 * @param tiedEmbeddings whether the output matrix is the embedding
 * @param eosIds ids that end a text, as the configuration says; may be empty
 */
public record ModelConfig(
        int dim,
        int hiddenDim,
        int nLayers,
        int nHeads,
        int nKvHeads,
        int headDim,
        int vocabSize,
        int contextLength,
        float normEps,
        RopeConfig rope,
        SlidingWindow window,
        boolean tiedEmbeddings,
        List<Integer> eosIds) {
    private static final int MAX_DIM = 1 << 20;
    static final int MAX_LAYERS = 1 << 12;
    private static final int MAX_HEAD_DIM = 1024;

    /** Checks that the values make a model; what a file says is not trusted. */
    public ModelConfig {
        eosIds = List.copyOf(eosIds);
        requireRange("hidden_size", dim, 1, MAX_DIM);
        requireRange("intermediate_size", hiddenDim, 1, MAX_DIM);
        requireRange("num_hidden_layers", nLayers, 1, MAX_LAYERS);
        requireRange("num_attention_heads", nHeads, 1, MAX_DIM);
        requireRange("num_key_value_heads", nKvHeads, 1, nHeads);
        requireRange("head_dim", headDim, 2, MAX_HEAD_DIM);
        requireRange("vocab_size", vocabSize, 1, Integer.MAX_VALUE);
        requireRange("max_position_embeddings", contextLength, 1, Integer.MAX_VALUE);
        require(nHeads % nKvHeads == 0, "num_attention_heads is %d, not a multiple of num_key_value_heads, %d".formatted(nHeads, nKvHeads));
        require(headDim % 2 == 0, "head_dim is %d, must be even".formatted(headDim));
        require(Float.isFinite(normEps) && normEps >= 0, "rms_norm_eps is %s, must be finite and not negative".formatted(normEps));
        rope.requireFitting(headDim);
    }

    private static void requireRange(String name, int value, int least, int most) {
        require(value >= least && value <= most, "%s is %d, must be %d to %d".formatted(name, value, least, most));
    }

    private static void require(boolean holds, String problem) {
        if (!holds) {
            throw new IllegalArgumentException(problem);
        }
    }

    /** Width of all query heads together. */
    public int qDim() {
        return Math.multiplyExact(nHeads, headDim);
    }

    /** Width of all key/value heads together. */
    public int kvDim() {
        return Math.multiplyExact(nKvHeads, headDim);
    }

    /** Positions that a layer looks back at, a token's own included; 0 for all. */
    public int windowOf(int layer) {
        return window.ofLayer(layer);
    }

    /** Positions that texts may have: as trained, or as RoPE is scaled for. */
    public int reach() {
        return rope.scaling().reach(contextLength);
    }

    /** The same model with another vocabulary. */
    ModelConfig withVocabulary(int size, boolean tied) {
        return new ModelConfig(dim, hiddenDim, nLayers, nHeads, nKvHeads, headDim, size, contextLength, normEps, rope, window, tied, eosIds);
    }

    /** The same model with other angles. */
    ModelConfig withRope(RopeConfig other) {
        return new ModelConfig(
                dim, hiddenDim, nLayers, nHeads, nKvHeads, headDim, vocabSize, contextLength, normEps, other, window, tiedEmbeddings, eosIds);
    }
}
