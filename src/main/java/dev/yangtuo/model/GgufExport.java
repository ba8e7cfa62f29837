package dev.yangtuo.model;

import dev.yangtuo.checkpoint.GgufLayout;
import dev.yangtuo.checkpoint.OutputFile;
import dev.yangtuo.checkpoint.PlannedTensor;
import dev.yangtuo.checkpoint.TensorLayout;
import dev.yangtuo.kernel.Backend;
import dev.yangtuo.lora.MergeReport;
import dev.yangtuo.tensor.TensorType;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Writes a model as one GGUF file: names, order of rows and metadata as llama.cpp's converter writes them. */
final class GgufExport {
    private final MergedModel model;
    private final LoadSettings settings;
    private final TypePlan plan;
    private final List<Float> factors;
    private final List<PlannedTensor> tensors = new ArrayList<>();
    private final Map<TensorType, Integer> types = ModelExport.newCounts();
    /** Made when it is needed: what of a vocabulary cannot be said in GGUF is logged. */
    private @Nullable TensorLayout layout;

    GgufExport(MergedModel model, LoadSettings settings) {
        this.model = model;
        this.settings = settings;
        this.plan = new TypePlan(settings.types(), model.config());
        this.factors = GgufRope.factorsToWrite(model.config());
        model.forEach(parameter -> {
            TensorType type = plan.typeOf(parameter);
            tensors.add(new PlannedTensor(parameter.ggufName(), type, parameter.shape()));
            ModelExport.count(types, parameter, type);
        });
        if (!factors.isEmpty()) {
            tensors.add(new PlannedTensor(GgufRope.FACTORS, TensorType.F32, List.of((long) factors.size())));
        }
    }

    private TensorLayout layout() {
        TensorLayout made = layout == null ? GgufLayout.of(GgufModelMetadata.of(model, tensors, plan.mix()), tensors) : layout;
        layout = made;
        return made;
    }

    /** Bytes of the file. */
    long byteSize() {
        return layout().byteSize();
    }

    /** How many matrices are of each type. */
    Map<TensorType, Integer> types() {
        return types;
    }

    /**
     * Writes the file.
     *
     * @param backend rounds what is not written as it is stored
     */
    MergeReport write(OutputFile out, Backend backend) {
        EncodeProgress progress = new EncodeProgress(model, plan::bytesOf, settings.listener());
        try (ParameterEncoder encoder = new ParameterEncoder(backend, model.path(), settings.threads(), progress::bytes)) {
            layout().begin(out);
            Iterator<Long> byteOffsets = layout().byteOffsets().iterator();
            model.forEach(parameter -> {
                ModelExport.writeRows(encoder, parameter, plan.typeOf(parameter), ParameterEncoder.Order.PAIRS, out, byteOffsets.next());
                progress.finished(parameter.name());
            });
            if (!factors.isEmpty()) {
                out.write(byteOffsets.next(), bytes(factors));
            }
            return model.finish();
        }
    }

    private static MemorySegment bytes(List<Float> values) {
        ByteBuffer bytes = ByteBuffer.allocate(values.size() * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        values.forEach(bytes::putFloat);
        return MemorySegment.ofBuffer(bytes.flip());
    }
}
