package dev.yangtuo.checkpoint;

import dev.yangtuo.exception.CheckpointFormatException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;

/** The tensors of one safetensors file, or of the shards that an index file lists. */
public final class SafetensorsCheckpoint extends MappedCheckpoint {
    private final Map<String, String> metadata;

    private SafetensorsCheckpoint(
            Path path, Arena arena, Map<Path, MemorySegment> files, TensorTable table, Map<String, String> metadata) {
        super(path, arena, files, table);
        this.metadata = metadata;
    }

    /**
     * Opens one file.
     *
     * @throws CheckpointFormatException if the file is missing, not safetensors, damaged or incomplete
     */
    public static SafetensorsCheckpoint open(Path file) {
        return opening(arena -> {
            SafetensorsFile contents = SafetensorsFile.read(file, arena);
            return new SafetensorsCheckpoint(file, arena, Map.of(file, contents.bytes()), contents.table(), contents.metadata());
        });
    }

    /**
     * Opens {@code baseName.safetensors} of a directory or, where that does not exist, the shards that
     * {@code baseName.safetensors.index.json} lists. Every tensor that the index lists must be in the shard that it names.
     *
     * @param directory a model ({@code baseName} is {@code model}) or an adapter ({@code adapter_model})
     * @throws CheckpointFormatException if neither exists, a shard is missing, or a file is damaged or incomplete
     */
    public static SafetensorsCheckpoint openDirectory(Path directory, String baseName) {
        Path single = directory.resolve(baseName + ".safetensors");
        if (Files.exists(single)) {
            return opening(arena -> {
                SafetensorsFile contents = SafetensorsFile.read(single, arena);
                return new SafetensorsCheckpoint(directory, arena, Map.of(single, contents.bytes()), contents.table(), contents.metadata());
            });
        }
        Path index = directory.resolve(baseName + ".safetensors.index.json");
        if (!Files.exists(index)) {
            throw DirectoryContents.noWeights(directory, baseName);
        }
        return opening(arena -> openShards(directory, index, arena));
    }

    /** Whether a directory has such weights. */
    static boolean isIn(Path directory, String baseName) {
        return Files.exists(directory.resolve(baseName + ".safetensors"))
                || Files.exists(directory.resolve(baseName + ".safetensors.index.json"));
    }

    /** The {@code __metadata__} of the headers; of several shards with the same key the first one's. */
    public Map<String, String> metadata() {
        return metadata;
    }

    private static SafetensorsCheckpoint openShards(Path directory, Path index, Arena arena) {
        Map<Path, MemorySegment> files = new HashMap<>();
        Map<String, String> metadata = new LinkedHashMap<>();
        TensorTable table = ShardIndex.read(index, ".safetensors").readShards(shard -> {
            SafetensorsFile contents = SafetensorsFile.read(shard, arena);
            files.put(shard, contents.bytes());
            contents.metadata().forEach(metadata::putIfAbsent);
            return contents.table();
        });
        return new SafetensorsCheckpoint(directory, arena, files, table, Map.copyOf(metadata));
    }
}
