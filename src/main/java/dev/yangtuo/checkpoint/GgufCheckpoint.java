package dev.yangtuo.checkpoint;

import dev.yangtuo.exception.CheckpointFormatException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Map;

/** The tensors and the metadata of a GGUF file. Names and the order of rows are GGUF's: nothing is renamed or permuted here. */
public final class GgufCheckpoint extends MappedCheckpoint {
    private final GgufMetadata metadata;
    private final int version;
    private final MappedFile file;

    private GgufCheckpoint(GgufFile file, Arena arena) {
        super(file.path(), arena, Map.of(file.path(), file.bytes()), file.table());
        this.metadata = file.metadata();
        this.version = file.version();
        this.file = new MappedFile(file.path(), file.bytes());
    }

    /**
     * Opens a file.
     *
     * @throws CheckpointFormatException if the file is missing, not GGUF, of a kind that is not supported (big-endian, version 1, split
     *     into several files), damaged or incomplete
     */
    public static GgufCheckpoint open(Path file) {
        Arena arena = Arena.ofShared();
        boolean opened = false;
        try {
            GgufCheckpoint checkpoint = new GgufCheckpoint(GgufFile.read(file, arena), arena);
            opened = true;
            return checkpoint;
        } finally {
            if (!opened) {
                arena.close();
            }
        }
    }

    /** The key-value pairs. */
    public GgufMetadata metadata() {
        return metadata;
    }

    /**
     * A value of the metadata as the file has it: the number of its type, of an array's elements' type, its bytes.
     *
     * @throws CheckpointFormatException if there is no such key
     */
    byte[] value(String key) {
        GgufMetadata.Entry entry = metadata.entry(key);
        int head = (entry.elementType() == null ? 1 : 2) * Integer.BYTES;
        long start = entry.byteOffset() - head;
        return file.reading("the metadata", () -> file.bytes().asSlice(start, entry.byteEnd() - start).toArray(ValueLayout.JAVA_BYTE));
    }

    /** The version of the format, 2 or 3. */
    public int version() {
        return version;
    }
}
