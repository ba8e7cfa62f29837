package dev.yangtuo.checkpoint;

import dev.yangtuo.tensor.TensorType;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.List;

/** Lays out a GGUF file (version 3, little-endian): magic, version, counts, metadata, descriptions of the tensors, padding, data. */
public final class GgufLayout {
    private static final int VERSION = 3;
    /** What holds where the metadata do not say otherwise. */
    private static final int ALIGNMENT = 32;

    private GgufLayout() {}

    /** Lays the tensors out in their order, each padded to the alignment. */
    public static TensorLayout of(GgufPairs metadata, List<PlannedTensor> tensors) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        GgufPairs.writeInt(out, GgufFile.MAGIC);
        GgufPairs.writeInt(out, VERSION);
        GgufPairs.writeLong(out, tensors.size());
        GgufPairs.writeLong(out, metadata.size());
        metadata.forEach((key, value) -> {
            GgufPairs.writeString(out, key);
            out.writeBytes(value);
        });
        List<Long> offsets = new ArrayList<>();
        long end = 0;
        for (PlannedTensor tensor : tensors) {
            GgufPairs.writeString(out, tensor.name());
            GgufPairs.writeInt(out, tensor.shape().size());
            tensor.shape().reversed().forEach(dimension -> GgufPairs.writeLong(out, dimension));
            GgufPairs.writeInt(out, typeId(tensor.type()));
            GgufPairs.writeLong(out, end);
            offsets.add(end);
            end = padded(Math.addExact(end, tensor.byteSize()));
        }
        out.writeBytes(new byte[(int) (padded(out.size()) - out.size())]);
        byte[] header = out.toByteArray();
        return new TensorLayout(header, offsets.stream().map(offset -> header.length + offset).toList(), header.length + end);
    }

    private static int typeId(TensorType type) {
        // Both enums have GGML's own names.
        return GgmlType.valueOf(type.name()).id;
    }

    private static long padded(long bytes) {
        return Math.addExact(bytes, ALIGNMENT - 1L) & -(long) ALIGNMENT;
    }
}
