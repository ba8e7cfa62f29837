package dev.yangtuo.lora;

import dev.yangtuo.checkpoint.TensorInfo;
import dev.yangtuo.tensor.FloatRows;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The two factors of one LoRA and what they add: {@code delta = scale * (B @ A)}, or its transpose.
 *
 * @param a lora_A
 * @param b lora_B
 * @param scale finite
 * @param layout how the two are stored
 */
record LoraDelta(TensorInfo a, TensorInfo b, float scale, Layout layout) implements ParameterChange {
    /** The shapes of the factors, row-major; the parameter is [rows, columns]. */
    enum Layout {
        /** A is [rank, columns], B is [rows, rank]. */
        PLAIN,
        /** The same, rows of B in GGUF's order of Q and K: partners of RoPE beside each other. */
        PLAIN_IN_PAIRS,
        /** A is [rank, rows], B is [columns, rank]: of embeddings, and of bases that store [in, out]. */
        TRANSPOSED,
        /** A is [rows, rank], B is [columns, rank]: of embeddings in GGUF. */
        TRANSPOSED_ROWS
    }

    int rank() {
        return Math.toIntExact(layout == Layout.TRANSPOSED_ROWS ? a.shape().getLast() : a.shape().getFirst());
    }

    /** Rows of the delta. */
    long rows() {
        return switch (layout) {
            case PLAIN, PLAIN_IN_PAIRS -> b.shape().getFirst();
            case TRANSPOSED -> a.shape().getLast();
            case TRANSPOSED_ROWS -> a.shape().getFirst();
        };
    }

    /** Columns of the delta. */
    long columns() {
        return isTransposed() ? b.shape().getFirst() : a.shape().getLast();
    }

    boolean isTransposed() {
        return layout == Layout.TRANSPOSED || layout == Layout.TRANSPOSED_ROWS;
    }

    /** Outputs of the module: what B has rows for. */
    long outputs() {
        return b.shape().getFirst();
    }

    @Override
    public MergeReport.Kind kind() {
        return MergeReport.Kind.LORA;
    }

    @Override
    public List<TensorInfo> tensors() {
        return List.of(a, b);
    }

    @Override
    public FloatRows onto(@Nullable FloatRows before, MergeTarget target, DeltaNorm norm) {
        return new LoraRows(target.require(before), product(target.require(before), target), norm);
    }

    /** What is added, once it is known to fit. */
    LowRankProduct product(FloatRows before, MergeTarget target) {
        if (rows() != before.rows() || columns() != before.columns()) {
            String tensors = "%s times %s".formatted(AdapterKey.quote(b.name()), AdapterKey.quote(a.name()));
            throw target.misfit(before, tensors, rows(), columns());
        }
        FloatRows rowsOfB = target.adapter().rows(b);
        return new LowRankProduct(this, target.adapter().rows(a), layout == Layout.PLAIN_IN_PAIRS ? target.pairsToHalves().apply(rowsOfB) : rowsOfB);
    }
}
