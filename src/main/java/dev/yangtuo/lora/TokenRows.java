package dev.yangtuo.lora;

import dev.yangtuo.checkpoint.TensorInfo;
import dev.yangtuo.exception.AdapterException;
import dev.yangtuo.tensor.FloatRows;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Rows of a vocabulary matrix that were trained singly. They take the place of the rows that were there; PEFT calls them a delta, but adds nothing.
 *
 * @param tensor [tokens, dim]
 * @param tokens which rows, each once, in the order of the tensor
 */
record TokenRows(TensorInfo tensor, List<Integer> tokens) implements ParameterChange {
    @Override
    public MergeReport.Kind kind() {
        return MergeReport.Kind.TOKEN_ROWS;
    }

    @Override
    public List<TensorInfo> tensors() {
        return List.of(tensor);
    }

    @Override
    public FloatRows onto(@Nullable FloatRows before, MergeTarget target, DeltaNorm norm) {
        FloatRows matrix = target.require(before);
        FloatRows rows = target.checked(tensor);
        if (rows.columns() != matrix.columns()) {
            throw target.misfit(matrix, AdapterKey.quote(tensor.name()), rows.rows(), rows.columns());
        }
        // Token ids in ascending order with the row of the tensor in the lower half.
        long[] placed = IntStream.range(0, tokens.size()).mapToLong(i -> (long) tokens.get(i) << Integer.SIZE | i).sorted().toArray();
        int largest = (int) (placed[placed.length - 1] >>> Integer.SIZE);
        if (largest >= matrix.rows()) {
            throw new AdapterException(target.adapter().config().file(), "trainable_token_indices names the token %d, but %s has %d rows"
                    .formatted(largest, AdapterKey.quote(target.parameter()), matrix.rows()));
        }
        return new PlacedRows(matrix, rows, placed);
    }

    private record PlacedRows(FloatRows before, FloatRows trained, long[] placed) implements FloatRows {
        @Override
        public long rows() {
            return before.rows();
        }

        @Override
        public int columns() {
            return before.columns();
        }

        @Override
        public void read(long firstRow, int rowCount, float[] target, int targetOffset) {
            LoraRows.requireRange(this, firstRow, rowCount, target, targetOffset);
            before.read(firstRow, rowCount, target, targetOffset);
            int next = Arrays.binarySearch(placed, firstRow << Integer.SIZE);
            for (int i = next < 0 ? -next - 1 : next; i < placed.length && placed[i] >>> Integer.SIZE < firstRow + rowCount; i++) {
                int row = (int) ((placed[i] >>> Integer.SIZE) - firstRow);
                trained.read((int) placed[i], 1, target, targetOffset + row * columns());
            }
        }
    }
}
