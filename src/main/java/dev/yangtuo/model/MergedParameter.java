package dev.yangtuo.model;

import dev.yangtuo.checkpoint.StoredBytes;
import dev.yangtuo.tensor.FloatRows;
import dev.yangtuo.tensor.TensorType;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A parameter of the base model with all adapters applied; nothing is computed before rows are read.
 *
 * @param name Hugging Face's name ({@code model.layers.0.self_attn.q_proj.weight})
 * @param kind which parameter of a layer it is; null for the embedding, the last norm and the output matrix
 * @param layer the layer it belongs to; -1 for these three
 * @param rows its values; rows of Q and K, and elements of their biases, in Hugging Face's order
 * @param storedType how the base stores it
 * @param blocks the base's stored rows, if no adapter changes them and they stand in the order of the kernels; else null
 * @param headDim elements of a head, if its rows are those of heads that RoPE turns; else 0
 */
record MergedParameter(
        String name, @Nullable LayerParameter kind, int layer, FloatRows rows, TensorType storedType, @Nullable StoredBytes blocks, int headDim) {
    /** A norm or a bias: kept as float32, whatever the matrices are kept as. */
    boolean isVector() {
        return kind == null ? name.equals(ModelSource.NORM) : kind.isVector();
    }

    /** Its name in a GGUF file. */
    String ggufName() {
        return kind == null ? ModelSource.ggufName(name) : kind.ggufName(layer);
    }

    /** Its shape, row-major. */
    List<Long> shape() {
        return isVector() ? List.of((long) rows.columns()) : List.of(rows.rows(), (long) rows.columns());
    }

    /** The rows in the order of GGUF and of the kernels: partners of RoPE beside each other. */
    FloatRows rowsInPairs() {
        if (headDim == 0) {
            return rows;
        }
        return isVector() ? RowOrder.vectorInPairs(rows, headDim) : RowOrder.halvesToPairs(rows, headDim);
    }
}
