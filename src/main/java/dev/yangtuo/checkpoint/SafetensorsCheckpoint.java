package dev.yangtuo.checkpoint;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import dev.yangtuo.checkpoint.StrictJson.UnexpectedJson;
import dev.yangtuo.exception.CheckpointFormatException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeSet;

/** The tensors of one safetensors file, or of the shards that an index file lists. */
public final class SafetensorsCheckpoint extends MappedCheckpoint {
    private static final long MAX_INDEX_BYTES = 100_000_000;

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

    /** The {@code __metadata__} of the headers; of several shards with the same key the first one's. */
    public Map<String, String> metadata() {
        return metadata;
    }

    private interface Opener {
        SafetensorsCheckpoint open(Arena arena);
    }

    /** Gives an arena that is closed again if opening fails. */
    private static SafetensorsCheckpoint opening(Opener opener) {
        Arena arena = Arena.ofShared();
        boolean opened = false;
        try {
            SafetensorsCheckpoint checkpoint = opener.open(arena);
            opened = true;
            return checkpoint;
        } finally {
            if (!opened) {
                arena.close();
            }
        }
    }

    private static SafetensorsCheckpoint openShards(Path directory, Path index, Arena arena) {
        Map<String, String> shardOfTensor = readIndex(index);
        TensorTable table = new TensorTable();
        Map<Path, MemorySegment> files = new HashMap<>();
        Map<String, String> metadata = new LinkedHashMap<>();
        for (String shardName : new TreeSet<>(shardOfTensor.values())) {
            Path shard = directory.resolve(shardName);
            if (!Files.exists(shard)) {
                throw new CheckpointFormatException(shard,
                        "there is no such shard, but %s lists it. Download the missing file".formatted(index.getFileName()));
            }
            SafetensorsFile contents = SafetensorsFile.read(shard, arena);
            shardOfTensor.forEach((tensor, holder) -> {
                if (holder.equals(shardName) && !contents.table().contains(tensor)) {
                    throw new CheckpointFormatException(shard, ("tensor %s is missing, but %s says that it is here. The shard and the"
                            + " index belong to different models").formatted(Quoted.text(tensor), index.getFileName()));
                }
            });
            table.addAll(contents.table());
            files.put(shard, contents.bytes());
            contents.metadata().forEach(metadata::putIfAbsent);
        }
        return new SafetensorsCheckpoint(directory, arena, files, table, Map.copyOf(metadata));
    }

    /** Tensor name to the name of its shard, a plain file name. */
    private static Map<String, String> readIndex(Path index) {
        byte[] text;
        try (Arena arena = Arena.ofConfined()) {
            MappedFile file = MappedFile.map(index, "the index of a sharded model", arena);
            if (file.size() > MAX_INDEX_BYTES) {
                throw new CheckpointFormatException(index,
                        "the index has %d bytes; expected at most %d".formatted(file.size(), MAX_INDEX_BYTES));
            }
            text = file.reading("the index", () -> file.bytes().toArray(ValueLayout.JAVA_BYTE));
        }
        Map<String, String> shardOfTensor = new LinkedHashMap<>();
        try (JsonParser json = StrictJson.parser(text)) {
            json.nextToken();
            StrictJson.expect(json, JsonToken.START_OBJECT, "index");
            while (json.nextToken() == JsonToken.FIELD_NAME) {
                String key = json.currentName();
                json.nextToken();
                if (key.equals("weight_map")) {
                    readWeightMap(json, index, shardOfTensor);
                } else {
                    json.skipChildren();
                }
            }
        } catch (UnexpectedJson e) {
            throw new CheckpointFormatException(index, "at byte %d: %s".formatted(e.byteOffset, e.getMessage()), e);
        } catch (JsonProcessingException e) {
            throw new CheckpointFormatException(index, "is not valid JSON: %s (byte %d). Download it again".formatted(
                    e.getOriginalMessage(), e.getLocation() == null ? 0 : e.getLocation().getByteOffset()), e);
        } catch (IOException e) {
            throw new CheckpointFormatException(index, "cannot be read: " + e.getMessage(), e);
        }
        if (shardOfTensor.isEmpty()) {
            throw new CheckpointFormatException(index, "lists no tensor; expected an object 'weight_map' of tensor names to shard files");
        }
        return shardOfTensor;
    }

    private static void readWeightMap(JsonParser json, Path index, Map<String, String> shardOfTensor) throws IOException {
        StrictJson.expect(json, JsonToken.START_OBJECT, "weight_map");
        while (json.nextToken() == JsonToken.FIELD_NAME) {
            String tensor = json.currentName();
            json.nextToken();
            StrictJson.expect(json, JsonToken.VALUE_STRING, "weight_map, tensor " + Quoted.text(tensor));
            String shard = json.getText();
            if (!isPlainFileName(shard)) {
                throw new CheckpointFormatException(index, ("weight_map puts tensor %s into %s; expected the name of a .safetensors file"
                        + " beside the index, without folders").formatted(Quoted.text(tensor), Quoted.text(shard)));
            }
            shardOfTensor.put(tensor, shard);
        }
    }

    /** Anything that could leave the directory, on any operating system, is refused. */
    private static boolean isPlainFileName(String name) {
        if (!name.endsWith(".safetensors")
                || name.chars().anyMatch(c -> c == '/' || c == '\\' || c == ':' || Character.isISOControl(c))) {
            return false;
        }
        try {
            return Path.of(name).getNameCount() == 1;
        } catch (InvalidPathException e) {
            return false;
        }
    }
}
