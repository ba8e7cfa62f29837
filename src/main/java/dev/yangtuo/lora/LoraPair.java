package dev.yangtuo.lora;

import dev.yangtuo.checkpoint.TensorInfo;

/**
 * The two matrices of one LoRA and what they add: {@code delta = scale * (B @ A)}, or its transpose.
 *
 * @param a lora_A, [rank, in]
 * @param b lora_B, [out, rank]
 * @param scale finite
 * @param transposed the parameter is stored as [in, out]
 */
record LoraPair(TensorInfo a, TensorInfo b, float scale, boolean transposed) {
    int rank() {
        return Math.toIntExact(a.shape().getFirst());
    }

    /** Rows of the delta. */
    long rows() {
        return transposed ? a.shape().getLast() : b.shape().getFirst();
    }

    /** Columns of the delta. */
    long columns() {
        return transposed ? b.shape().getFirst() : a.shape().getLast();
    }
}
