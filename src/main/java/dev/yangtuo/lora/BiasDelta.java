package dev.yangtuo.lora;

import dev.yangtuo.checkpoint.TensorInfo;
import dev.yangtuo.tensor.FloatRows;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The bias beside a lora_B: {@code bias += scale * tensor}, with the scale of the LoRA.
 *
 * @param tensor [outputs]
 * @param scale finite
 */
record BiasDelta(TensorInfo tensor, float scale) implements ParameterChange {
    @Override
    public MergeReport.Kind kind() {
        return MergeReport.Kind.BIAS;
    }

    @Override
    public List<TensorInfo> tensors() {
        return List.of(tensor);
    }

    @Override
    public FloatRows onto(@Nullable FloatRows before, MergeTarget target, DeltaNorm norm) {
        FloatRows bias = target.require(before);
        CheckedRows delta = new CheckedRows(target.adapter().rows(tensor), tensor);
        if (bias.rows() != 1 || bias.columns() != delta.columns()) {
            throw target.misfit(bias, AdapterKey.quote(tensor.name()), 1, delta.columns());
        }
        return new BiasRows(bias, delta, scale, norm);
    }

    private record BiasRows(FloatRows before, CheckedRows delta, float scale, DeltaNorm norm) implements FloatRows {
        @Override
        public long rows() {
            return 1;
        }

        @Override
        public int columns() {
            return before.columns();
        }

        @Override
        public void read(long firstRow, int rowCount, float[] target, int targetOffset) {
            LoraRows.requireRange(this, firstRow, rowCount, target, targetOffset);
            before.read(firstRow, rowCount, target, targetOffset);
            if (rowCount == 0) {
                return;
            }
            float[] added = delta.vector();
            double deltaSquares = 0;
            double biasSquares = 0;
            for (int j = 0; j < added.length; j++) {
                double change = (double) scale * added[j];
                deltaSquares += change * change;
                biasSquares += (double) target[targetOffset + j] * target[targetOffset + j];
                target[targetOffset + j] += scale * added[j];
            }
            norm.record(0, deltaSquares, biasSquares);
        }
    }
}
