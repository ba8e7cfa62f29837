package dev.yangtuo.lora;

import dev.yangtuo.checkpoint.TensorInfo;
import dev.yangtuo.tensor.FloatRows;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A LoRA whose result gets trained norms (DoRA, Liu et al., <a href="https://arxiv.org/abs/2402.09353">arXiv:2402.09353</a>):
 * {@code W = m / ||W + delta|| * (W + delta)}, with a norm for each output of the module. Outputs are the rows of the parameter, but the columns of an
 * embedding and of a matrix that is stored as [in, out].
 *
 * @param delta what is added first
 * @param magnitude m, [outputs]
 */
record DoraDelta(LoraDelta delta, TensorInfo magnitude) implements ParameterChange {
    @Override
    public MergeReport.Kind kind() {
        return MergeReport.Kind.DORA;
    }

    @Override
    public List<TensorInfo> tensors() {
        List<TensorInfo> all = new ArrayList<>(delta.tensors());
        all.add(magnitude);
        return all;
    }

    @Override
    public FloatRows onto(@Nullable FloatRows before, MergeTarget target, DeltaNorm norm) {
        FloatRows matrix = target.require(before);
        CheckedRows magnitudes = new CheckedRows(target.adapter().rows(magnitude), magnitude);
        return new DoraRows(matrix, delta.product(matrix, target), magnitudes, delta.isTransposed(), norm);
    }
}
