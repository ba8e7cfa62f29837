package dev.yangtuo.checkpoint;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import dev.yangtuo.checkpoint.StrictJson.UnexpectedJson;
import dev.yangtuo.exception.CheckpointFormatException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeSet;
import java.util.function.Function;

/**
 * The {@code .index.json} beside the shards of a Hugging Face model: which tensor is in which file.
 *
 * @param file the index
 * @param shardOfTensor tensor name to the plain name of a file beside the index; never empty
 */
record ShardIndex(Path file, Map<String, String> shardOfTensor) {
    private static final long MAX_INDEX_BYTES = 100_000_000;

    /**
     * Reads an index.
     *
     * @param suffix how the names of the shards end
     * @throws CheckpointFormatException if it is not JSON of this form, or names a file elsewhere
     */
    static ShardIndex read(Path index, String suffix) {
        return new ShardIndex(index, readMap(index, suffix));
    }

    /**
     * Reads the shards in the order of their names. Every tensor that the index lists must be in the shard that it names.
     *
     * @param reader from a file to its tensors
     * @return the tensors of all
     * @throws CheckpointFormatException if a shard is missing or not the one that the index was made for
     */
    TensorTable readShards(Function<Path, TensorTable> reader) {
        TensorTable all = new TensorTable();
        for (String shardName : new TreeSet<>(shardOfTensor.values())) {
            Path shard = file.resolveSibling(shardName);
            if (!Files.exists(shard)) {
                throw new CheckpointFormatException(shard,
                        "there is no such shard, but %s lists it. Download the missing file".formatted(file.getFileName()));
            }
            TensorTable table = reader.apply(shard);
            shardOfTensor.forEach((tensor, holder) -> {
                if (holder.equals(shardName) && !table.contains(tensor)) {
                    throw new CheckpointFormatException(shard, ("tensor %s is missing, but %s says that it is here. The shard and the"
                            + " index belong to different models").formatted(Quoted.text(tensor), file.getFileName()));
                }
            });
            all.addAll(table);
        }
        return all;
    }

    /** Tensor name to the name of its shard, a plain file name. */
    private static Map<String, String> readMap(Path index, String suffix) {
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
                    readWeightMap(json, index, suffix, shardOfTensor);
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

    private static void readWeightMap(
            JsonParser json, Path index, String suffix, Map<String, String> shardOfTensor) throws IOException {
        StrictJson.expect(json, JsonToken.START_OBJECT, "weight_map");
        while (json.nextToken() == JsonToken.FIELD_NAME) {
            String tensor = json.currentName();
            json.nextToken();
            StrictJson.expect(json, JsonToken.VALUE_STRING, "weight_map, tensor " + Quoted.text(tensor));
            String shard = json.getText();
            if (!isPlainFileName(shard, suffix)) {
                throw new CheckpointFormatException(index, ("weight_map puts tensor %s into %s; expected the name of a %s file"
                        + " beside the index, without folders").formatted(Quoted.text(tensor), Quoted.text(shard), suffix));
            }
            shardOfTensor.put(tensor, shard);
        }
    }

    /** Anything that could leave the directory, on any operating system, is refused. */
    private static boolean isPlainFileName(String name, String suffix) {
        if (!name.endsWith(suffix)
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
