package dev.yangtuo.model;

import dev.yangtuo.checkpoint.GgufLayout;
import dev.yangtuo.checkpoint.PendingFile;
import dev.yangtuo.checkpoint.PlannedTensor;
import dev.yangtuo.checkpoint.TensorLayout;
import dev.yangtuo.lora.MergeReport;
import dev.yangtuo.tensor.TensorType;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;

/** Writes a model as one GGUF file: names, order of rows and metadata as llama.cpp's converter writes them. */
final class GgufExport {
    private final ModelExport export;
    private final MergedModel model;
    private final TypePlan plan;

    GgufExport(ModelExport export) {
        this.export = export;
        this.model = export.model();
        this.plan = new TypePlan(export.settings().load().types(), model.config());
    }

    ModelExport.Written write() {
        List<PlannedTensor> tensors = new ArrayList<>();
        Map<TensorType, Integer> types = ModelExport.newCounts();
        model.forEach(parameter -> {
            TensorType type = plan.typeOf(parameter);
            tensors.add(new PlannedTensor(parameter.ggufName(), type, parameter.shape()));
            ModelExport.count(types, parameter, type);
        });
        List<Float> factors = GgufRope.factorsToWrite(model.config());
        if (!factors.isEmpty()) {
            tensors.add(new PlannedTensor(GgufRope.FACTORS, TensorType.F32, List.of((long) factors.size())));
        }
        TensorLayout layout = GgufLayout.of(GgufModelMetadata.of(model, tensors, plan.mix()), tensors);
        EncodeProgress progress = new EncodeProgress(model, plan::bytesOf, export.settings().load().listener());
        try (PendingFile file = PendingFile.create(export.output(), layout.byteSize());
                ParameterEncoder encoder = export.newEncoder(progress)) {
            layout.begin(file.out());
            Iterator<Long> byteOffsets = layout.byteOffsets().iterator();
            model.forEach(parameter -> {
                ModelExport.writeRows(encoder, parameter, plan.typeOf(parameter), ParameterEncoder.Order.PAIRS, file.out(), byteOffsets.next());
                progress.finished(parameter.name());
            });
            if (!factors.isEmpty()) {
                file.out().write(byteOffsets.next(), bytes(factors));
            }
            MergeReport merge = model.finish();
            file.complete();
            return new ModelExport.Written(layout.byteSize(), 1, types, merge);
        }
    }

    private static MemorySegment bytes(List<Float> values) {
        ByteBuffer bytes = ByteBuffer.allocate(values.size() * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        values.forEach(bytes::putFloat);
        return MemorySegment.ofBuffer(bytes.flip());
    }
}
