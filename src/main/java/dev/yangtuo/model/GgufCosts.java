package dev.yangtuo.model;

import dev.yangtuo.checkpoint.GgufCheckpoint;
import dev.yangtuo.checkpoint.GgufMetadata;
import dev.yangtuo.checkpoint.TensorInfo;
import dev.yangtuo.checkpoint.UnreadableTensor;
import dev.yangtuo.tensor.TensorType;
import java.nio.file.Path;
import java.util.List;

/** What a forward pass of a model of any architecture reads and computes, as far as the headers of its GGUF file say. */
public final class GgufCosts {
    private static final String LAYER_PREFIX = "blk.";

    private GgufCosts() {}

    /**
     * Reads the headers of a file that has been checked.
     *
     * @param kvType type of keys and values; where a model has others (a recurrent one has none), what is said of them is not true
     */
    public static ModelCosts of(Path file, TensorType kvType) {
        try (GgufCheckpoint gguf = GgufCheckpoint.open(file)) {
            long layerBytes = 0;
            long layerWeights = 0;
            for (TensorInfo tensor : gguf.tensors()) {
                boolean isProjection = tensor.name().startsWith(LAYER_PREFIX) && tensor.shape().size() > 1;
                layerBytes += isProjection ? tensor.byteSize() : 0;
                layerWeights += isProjection ? tensor.elementCount() : 0;
            }
            for (UnreadableTensor tensor : gguf.unreadable()) {
                boolean isProjection = tensor.name().startsWith(LAYER_PREFIX) && tensor.shape().size() > 1;
                layerBytes += isProjection ? tensor.byteSize() : 0;
                layerWeights += isProjection ? elements(tensor.shape()) : 0;
            }
            long kvBytes = keyValueBytes(gguf.metadata(), kvType);
            TensorInfo output = gguf.find(ModelSource.GGUF_OUTPUT) == null ? gguf.find(ModelSource.GGUF_EMBEDDING) : gguf.find(ModelSource.GGUF_OUTPUT);
            return output == null
                    ? new ModelCosts(layerBytes, 0, layerWeights, 0, kvBytes, "unknown")
                    : new ModelCosts(layerBytes, output.byteSize(), layerWeights, output.elementCount(), kvBytes, output.type().name());
        }
    }

    private static long elements(List<Long> shape) {
        return shape.stream().reduce(1L, Math::multiplyExact);
    }

    /** Bytes of keys and values of one position in all layers, as llama.cpp keeps them. */
    private static long keyValueBytes(GgufMetadata metadata, TensorType kvType) {
        String architecture = metadata.string("general.architecture");
        int layers = Math.max(1, metadata.integer(architecture + ".block_count"));
        String heads = architecture + ".attention.head_count";
        String kvHeads = metadata.contains(heads + "_kv") ? heads + "_kv" : heads;
        long allHeads = sum(metadata, kvHeads, layers);
        if (allHeads == 0) {
            return 0;
        }
        int headDim = metadata.integer(architecture + ".embedding_length") / Math.max(1, Math.toIntExact(sum(metadata, heads, layers) / layers));
        long elements = allHeads * (metadata.integer(architecture + ".attention.key_length", headDim)
                + metadata.integer(architecture + ".attention.value_length", headDim));
        return elements * kvType.blockBytes() / kvType.blockElements();
    }

    /** Of all layers: some architectures have a number for each. */
    private static long sum(GgufMetadata metadata, String key, int layers) {
        if (!metadata.contains(key)) {
            return 0;
        }
        if (!metadata.typeName(key).startsWith("ARRAY")) {
            return (long) metadata.integer(key) * layers;
        }
        long sum = 0;
        for (int value : metadata.integers(key)) {
            sum += value;
        }
        return sum;
    }
}
