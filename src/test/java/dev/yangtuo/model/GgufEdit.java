package dev.yangtuo.model;

import dev.yangtuo.checkpoint.GgufBuilder;
import dev.yangtuo.checkpoint.GgufCheckpoint;
import dev.yangtuo.checkpoint.GgufMetadata;
import dev.yangtuo.checkpoint.TensorInfo;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;

/** A GGUF file written anew with other metadata. */
final class GgufEdit {
    private static final Map<String, Integer> TYPE_IDS = Map.of("F32", 0, "F16", 1, "Q4_0", 2, "Q8_0", 8, "BF16", 30);

    private GgufEdit() {}

    /** The tensors and the metadata of a file; more can be added. */
    static GgufBuilder of(Path file) {
        return of(file, Set.of());
    }

    /** The same without some keys. */
    static GgufBuilder of(Path file, Set<String> without) {
        GgufBuilder builder = new GgufBuilder();
        try (GgufCheckpoint checkpoint = GgufCheckpoint.open(file)) {
            GgufMetadata metadata = checkpoint.metadata();
            for (String key : metadata.keys()) {
                if (!without.contains(key)) {
                    builder.put(key, value(metadata, key));
                }
            }
            for (TensorInfo tensor : checkpoint.tensors()) {
                long[] fastestFirst = tensor.shape().reversed().stream().mapToLong(Long::longValue).toArray();
                builder.rawTensor(tensor.name(), TYPE_IDS.get(tensor.type().name()), checkpoint.bytes(tensor).toArray(ValueLayout.JAVA_BYTE), fastestFirst);
            }
        }
        return builder;
    }

    private static Object value(GgufMetadata metadata, String key) {
        return switch (metadata.typeName(key)) {
            case "STRING" -> metadata.string(key);
            case "UINT32" -> metadata.integer(key);
            case "FLOAT32" -> metadata.number(key);
            case "BOOL" -> metadata.flag(key);
            case "ARRAY of STRING" -> metadata.strings(key);
            case "ARRAY of INT32" -> metadata.integers(key);
            case "ARRAY of FLOAT32" -> metadata.floats(key);
            default -> throw new IllegalArgumentException(key + " has the type " + metadata.typeName(key));
        };
    }
}
