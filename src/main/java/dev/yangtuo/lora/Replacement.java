package dev.yangtuo.lora;

import dev.yangtuo.checkpoint.TensorInfo;
import dev.yangtuo.tensor.FloatRows;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A parameter that the adapter brings whole: a saved module, a resized vocabulary, a trained bias. Whatever was there before is gone.
 *
 * @param tensor a matrix, or a vector as one row
 */
record Replacement(TensorInfo tensor) implements ParameterChange {
    @Override
    public MergeReport.Kind kind() {
        return MergeReport.Kind.REPLACED;
    }

    @Override
    public List<TensorInfo> tensors() {
        return List.of(tensor);
    }

    long rows() {
        return tensor.shape().size() == 1 ? 1 : tensor.shape().getFirst();
    }

    /** {@inheritDoc} Only the two vocabulary matrices may change their number of rows, and only grow. */
    @Override
    public FloatRows onto(@Nullable FloatRows before, MergeTarget target, DeltaNorm norm) {
        FloatRows rows = target.checked(tensor);
        if (before != null) {
            boolean rowsFit = target.isVocabulary() ? rows.rows() >= before.rows() : rows.rows() == before.rows();
            if (!rowsFit || rows.columns() != before.columns()) {
                throw target.misfit(before, AdapterKey.quote(tensor.name()), rows.rows(), rows.columns());
            }
        }
        return rows;
    }
}
