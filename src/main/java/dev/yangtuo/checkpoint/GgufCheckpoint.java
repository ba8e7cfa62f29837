package dev.yangtuo.checkpoint;

import dev.yangtuo.exception.CheckpointFormatException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** The tensors and the metadata of a GGUF file, or of the files that a model is split into. Names and the order of rows are GGUF's: nothing is renamed or permuted here. */
public final class GgufCheckpoint extends MappedCheckpoint {
    private final GgufMetadata metadata;
    private final int version;
    private final MappedFile file;
    private final List<GgufMetadata> parts;

    private GgufCheckpoint(List<GgufFile> parts, TensorTable table, Arena arena) {
        super(parts.getFirst().path(), arena, parts.stream().collect(Collectors.toMap(GgufFile::path, GgufFile::bytes)), table);
        this.metadata = parts.getFirst().metadata();
        this.version = parts.getFirst().version();
        this.parts = parts.stream().map(GgufFile::metadata).toList();
        this.file = new MappedFile(parts.getFirst().path(), parts.getFirst().bytes());
    }

    /**
     * Opens a model.
     *
     * @param file the file; if the model is split, any of its parts
     * @throws CheckpointFormatException if a file is missing, not GGUF, of a kind that is not supported (big-endian, version 1), damaged or
     *     incomplete
     */
    public static GgufCheckpoint open(Path file) {
        Arena arena = Arena.ofShared();
        boolean opened = false;
        try {
            List<GgufFile> parts = GgufParts.read(file, arena);
            TensorTable table = new TensorTable();
            parts.forEach(part -> table.addAll(part.table()));
            GgufCheckpoint checkpoint = new GgufCheckpoint(parts, table, arena);
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

    /** The key-value pairs of all files, in the order of the parts; of a model that is not split those of the one file. */
    public List<GgufMetadata> partMetadata() {
        return parts;
    }

    /**
     * The texts of an array byte by byte, each as a char: what is no UTF-8 stays different from what is none either.
     *
     * @throws CheckpointFormatException if there is no such key, or it is no array of strings
     */
    public List<String> rawStrings(String key) {
        int count = metadata.strings(key).length;
        ByteBuffer bytes = ByteBuffer.wrap(value(key)).order(ByteOrder.LITTLE_ENDIAN).position(2 * Integer.BYTES + Long.BYTES);
        List<String> texts = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            int length = (int) bytes.getLong();
            texts.add(new String(bytes.array(), bytes.position(), length, StandardCharsets.ISO_8859_1));
            bytes.position(bytes.position() + length);
        }
        return texts;
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
