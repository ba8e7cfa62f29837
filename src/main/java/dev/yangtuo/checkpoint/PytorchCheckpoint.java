package dev.yangtuo.checkpoint;

import dev.yangtuo.exception.CheckpointFormatException;
import dev.yangtuo.tensor.FloatRows;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The tensors of one file of PyTorch weights, or of the shards that an index file lists. Nothing in the files is run. */
public final class PytorchCheckpoint extends MappedCheckpoint {
    private final Map<String, List<Long>> strides;

    private PytorchCheckpoint(
            Path path, Arena arena, Map<Path, MemorySegment> files, TensorTable table, Map<String, List<Long>> strides) {
        super(path, arena, files, table);
        this.strides = strides;
    }

    /**
     * Opens one file: a state_dict as {@code torch.save} has written it since version 1.6, alone or under the key {@code state_dict} or
     * {@code model}.
     *
     * @throws CheckpointFormatException if the file is missing, not of this format, more than weights, damaged or incomplete
     */
    public static PytorchCheckpoint open(Path file) {
        return open(file, file);
    }

    private static PytorchCheckpoint open(Path path, Path file) {
        return opening(arena -> {
            PytorchFile contents = PytorchFile.read(file, arena);
            return new PytorchCheckpoint(path, arena, Map.of(file, contents.bytes()), contents.table(), contents.strides());
        });
    }

    /**
     * Opens {@code baseName.bin} of a directory or, where that does not exist, the shards that {@code baseName.bin.index.json} lists.
     *
     * @param directory a model ({@code baseName} is {@code pytorch_model}) or an adapter ({@code adapter_model})
     * @throws CheckpointFormatException if neither exists, a shard is missing, or a file is damaged or incomplete
     */
    public static PytorchCheckpoint openDirectory(Path directory, String baseName) {
        Path single = directory.resolve(baseName + ".bin");
        if (Files.exists(single)) {
            return open(directory, single);
        }
        Path index = directory.resolve(baseName + ".bin.index.json");
        if (!Files.exists(index)) {
            throw new CheckpointFormatException(directory,
                    "neither %1$s.bin nor %1$s.bin.index.json is here. Download the weights into this directory".formatted(baseName));
        }
        return opening(arena -> {
            Map<Path, MemorySegment> files = new HashMap<>();
            Map<String, List<Long>> strides = new HashMap<>();
            TensorTable table = ShardIndex.read(index, ".bin").readShards(shard -> {
                PytorchFile contents = PytorchFile.read(shard, arena);
                files.put(shard, contents.bytes());
                strides.putAll(contents.strides());
                return contents.table();
            });
            return new PytorchCheckpoint(directory, arena, files, table, strides);
        });
    }

    /** Whether a directory has such weights. */
    static boolean isIn(Path directory, String baseName) {
        return Files.exists(directory.resolve(baseName + ".bin")) || Files.exists(directory.resolve(baseName + ".bin.index.json"));
    }

    @Override
    public boolean storesRows(TensorInfo tensor) {
        return !strides.containsKey(tensor.name());
    }

    @Override
    public FloatRows rows(TensorInfo tensor) {
        List<Long> steps = strides.get(tensor.name());
        return steps == null ? super.rows(tensor) : new StridedRows(tensor, span(tensor), steps);
    }
}
