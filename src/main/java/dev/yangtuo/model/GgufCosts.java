package dev.yangtuo.model;

import dev.yangtuo.checkpoint.GgufCheckpoint;
import dev.yangtuo.checkpoint.GgufMetadata;
import dev.yangtuo.tensor.TensorType;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * What a model of any architecture takes, as far as the headers of its GGUF file say.
 *
 * @param costs what a forward pass reads and computes
 * @param tensorBytes of all tensors
 * @param contextLength positions that it was trained for
 * @param vocabSize pieces of its tokenizer
 * @param width of all activations of a column together, about
 */
public record GgufCosts(ModelCosts costs, long tensorBytes, int contextLength, int vocabSize, long width) {
    private static final String LAYER_PREFIX = "blk.";

    /** A tensor of any type. */
    private record Matrix(String name, String type, List<Long> shape, long bytes) {
        long elements() {
            return shape.stream().reduce(1L, Math::multiplyExact);
        }
    }

    /**
     * Reads the headers of a file that has been checked.
     *
     * @param kvType type of keys and values; where a model has others (a recurrent one has none), what is said of them is not true
     */
    public static GgufCosts of(Path file, TensorType kvType) {
        try (GgufCheckpoint gguf = GgufCheckpoint.open(file)) {
            GgufMetadata metadata = gguf.metadata();
            String architecture = metadata.string("general.architecture");
            List<Matrix> matrices = Stream.concat(
                            gguf.tensors().stream().map(tensor -> new Matrix(tensor.name(), tensor.type().name(), tensor.shape(), tensor.byteSize())),
                            gguf.unreadable().stream().map(tensor -> new Matrix(tensor.name(), tensor.typeName(), tensor.shape(), tensor.byteSize())))
                    .filter(matrix -> matrix.shape.size() > 1)
                    .toList();
            List<Matrix> projections = matrices.stream().filter(matrix -> matrix.name.startsWith(LAYER_PREFIX)).toList();
            List<Matrix> firstLayer = projections.stream().filter(matrix -> matrix.name.startsWith(LAYER_PREFIX + "0.")).toList();
            long layerBytes = projections.stream().mapToLong(Matrix::bytes).sum();
            long layerWeights = projections.stream().mapToLong(Matrix::elements).sum();
            long kvBytes = keyValueBytes(metadata, kvType);
            ModelCosts costs = matrices.stream()
                    .filter(output -> output.name.equals(ModelSource.GGUF_OUTPUT) || output.name.equals(ModelSource.GGUF_EMBEDDING))
                    .max(Comparator.comparing((Matrix output) -> output.name.equals(ModelSource.GGUF_OUTPUT)))
                    .map(output -> new ModelCosts(layerBytes, output.bytes, layerWeights, output.elements(), kvBytes, output.type))
                    .orElse(new ModelCosts(layerBytes, 0, layerWeights, 0, kvBytes, "none"));
            return new GgufCosts(
                    costs,
                    matrices.stream().mapToLong(Matrix::bytes).sum(),
                    metadata.integer(architecture + ".context_length"),
                    metadata.contains(GgufTokenizer.TOKENS) ? metadata.arrayLength(GgufTokenizer.TOKENS) : 0,
                    firstLayer.stream().mapToLong(matrix -> matrix.shape.getFirst()).sum());
        }
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
