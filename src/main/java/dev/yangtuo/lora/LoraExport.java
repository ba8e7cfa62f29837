package dev.yangtuo.lora;

import dev.yangtuo.checkpoint.GgufLayout;
import dev.yangtuo.checkpoint.GgufPairs;
import dev.yangtuo.checkpoint.OutputFile;
import dev.yangtuo.checkpoint.PlannedTensor;
import dev.yangtuo.checkpoint.TensorInfo;
import dev.yangtuo.checkpoint.TensorLayout;
import dev.yangtuo.exception.AdapterException;
import dev.yangtuo.tensor.FloatRows;
import dev.yangtuo.tensor.TensorType;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Writes a LoRA in PEFT's format as the GGUF file by which llama.cpp applies it: as {@link GgufAdapter} reads it, in float32. There all matrices have one alpha; what a
 * matrix is scaled by beyond alpha / rank is multiplied into its B.
 */
public final class LoraExport {
    private static final int ELEMENTS_AT_ONCE = 1 << 18;

    /**
     * A matrix that a LoRA is added to.
     *
     * @param parameter Hugging Face's name
     * @param rows of the matrix
     * @param columns of the matrix
     */
    public record Matrix(String parameter, long rows, long columns) {}

    /**
     * What a matrix is in a GGUF file.
     *
     * @param name its name
     * @param order brings rows from Hugging Face's order into that of the file
     */
    public record Target(String name, UnaryOperator<FloatRows> order) {}

    private final LoraAdapter adapter;
    private final List<LoraDelta> deltas = new ArrayList<>();
    private final List<Target> targets = new ArrayList<>();
    private final TensorLayout layout;

    /**
     * Plans the file.
     *
     * @param adapter with a scale of 1, {@linkplain #matrices applicable}; open until the file is written
     * @param architecture of the models that it is for, as GGUF calls it
     * @param target of a parameter
     */
    public LoraExport(LoraAdapter adapter, String architecture, Function<String, Target> target) {
        this.adapter = adapter;
        List<PlannedTensor> tensors = new ArrayList<>();
        for (String parameter : adapter.parameters()) {
            LoraDelta delta = (LoraDelta) adapter.changes(parameter).getFirst();
            Target found = target.apply(parameter);
            deltas.add(delta);
            targets.add(found);
            tensors.add(new PlannedTensor(found.name() + GgufAdapter.A, TensorType.F32, delta.a().shape()));
            tensors.add(new PlannedTensor(found.name() + GgufAdapter.B, TensorType.F32, delta.b().shape()));
        }
        GgufPairs pairs = new GgufPairs()
                .put("general.architecture", architecture)
                .put("general.type", "adapter")
                .put("adapter.type", "lora")
                .put(GgufAdapter.ALPHA, alpha());
        this.layout = GgufLayout.of(pairs, tensors);
    }

    /**
     * The matrices of an adapter that can be applied while a model computes: one that does nothing but add a LoRA to matrices of layers.
     *
     * @return null if it changes anything else, or brings a tokenizer, so that it must be merged
     */
    public static @Nullable List<Matrix> matrices(LoraAdapter adapter) {
        List<Matrix> matrices = new ArrayList<>();
        for (String parameter : adapter.parameters()) {
            List<ParameterChange> changes = adapter.changes(parameter);
            boolean vocabulary = parameter.equals(LoraMerge.EMBEDDING) || parameter.equals(LoraMerge.OUTPUT);
            if (vocabulary || changes.size() != 1 || !(changes.getFirst() instanceof LoraDelta delta) || delta.isTransposed()) {
                return null;
            }
            matrices.add(new Matrix(parameter, delta.rows(), delta.columns()));
        }
        return adapter.tokenizerModel() == null ? matrices : null;
    }

    /** One alpha for all; 0 would mean a scale of 1 there, so that no alpha of 0 is written. */
    private float alpha() {
        float alpha = (float) adapter.config().alpha();
        return alpha == 0 || !Float.isFinite(alpha) ? 1 : alpha;
    }

    /** Bytes of the file. */
    public long byteSize() {
        return layout.byteSize();
    }

    /**
     * Writes the file.
     *
     * @throws AdapterException if the adapter holds NaN, infinite or too large values
     */
    public void write(OutputFile out) {
        layout.begin(out);
        Iterator<Long> byteOffsets = layout.byteOffsets().iterator();
        for (int i = 0; i < deltas.size(); i++) {
            LoraDelta delta = deltas.get(i);
            write(out, byteOffsets.next(), rows(delta.a()), delta.a(), 1);
            float usual = alpha() / delta.rank();
            write(out, byteOffsets.next(), targets.get(i).order().apply(rows(delta.b())), delta.b(), delta.scale() == usual ? 1 : delta.scale() / usual);
        }
    }

    private FloatRows rows(TensorInfo tensor) {
        return new CheckedRows(adapter.rows(tensor), tensor);
    }

    private static void write(OutputFile out, long byteOffset, FloatRows rows, TensorInfo tensor, float factor) {
        int rowsAtOnce = Math.max(1, ELEMENTS_AT_ONCE / rows.columns());
        float[] values = new float[(int) Math.min(rows.rows(), rowsAtOnce) * rows.columns()];
        ByteBuffer bytes = ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        for (long row = 0; row < rows.rows(); row += rowsAtOnce) {
            int count = (int) Math.min(rowsAtOnce, rows.rows() - row);
            rows.read(row, count, values, 0);
            bytes.clear();
            for (int i = 0; i < count * rows.columns(); i++) {
                bytes.putFloat(finite(values[i] * factor, tensor));
            }
            out.write(byteOffset + row * rows.columns() * Float.BYTES, MemorySegment.ofBuffer(bytes.flip()));
        }
    }

    private static float finite(float value, TensorInfo tensor) {
        if (!Float.isFinite(value)) {
            throw new AdapterException(tensor.file(), "tensor %s holds values that are out of range with their scale; the adapter is damaged"
                    .formatted(AdapterKey.quote(tensor.name())));
        }
        return value;
    }
}
