package dev.yangtuo.lora;

import dev.yangtuo.checkpoint.TensorInfo;
import dev.yangtuo.tensor.FloatRows;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One thing that an adapter does to one parameter. Several of one adapter act in the order of their kinds: what is brought whole comes first,
 * LoRA is added to it, single rows are set last.
 */
sealed interface ParameterChange permits Replacement, LoraDelta, DoraDelta, BiasDelta, TokenRows {
    /** What it is, for the order and the report. */
    MergeReport.Kind kind();

    /** The adapter's tensors that it needs. */
    List<TensorInfo> tensors();

    /**
     * The parameter after the change. Nothing is read yet.
     *
     * @param before the parameter before the change; null if neither the base nor an earlier change has it
     * @param target what is changed
     * @param norm receives the size of what is added; of as many rows as {@code before}
     * @throws dev.yangtuo.exception.AdapterException if the shapes do not fit. Reading the result throws it if the adapter holds NaN or
     *     infinite values
     * @throws IllegalArgumentException if {@code before} is null and something must be there
     */
    FloatRows onto(@Nullable FloatRows before, MergeTarget target, DeltaNorm norm);
}
