package dev.yangtuo.checkpoint;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.yangtuo.exception.CheckpointFormatException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/** Reads the small JSON files that stand beside weights. Stateless. */
public final class JsonFile {
    private static final long MAX_BYTES = 16 << 20;

    private static final ObjectMapper MAPPER = new ObjectMapper();

    private JsonFile() {}

    /**
     * Reads a file that holds one JSON object.
     *
     * @throws CheckpointFormatException if it does not exist, is no plain file, is larger than 16 MiB, is not JSON, or is not an object
     */
    public static JsonNode readObject(Path file) {
        if (Files.exists(file) && !Files.isRegularFile(file)) {
            // Opening a named pipe would wait for ever.
            throw new CheckpointFormatException(file, "is not a plain file; expected a JSON configuration");
        }
        try {
            if (Files.size(file) > MAX_BYTES) {
                throw new CheckpointFormatException(file, "larger than 16 MiB, which no configuration file is");
            }
            JsonNode root = MAPPER.readTree(Files.readAllBytes(file));
            if (root == null || !root.isObject()) {
                throw new CheckpointFormatException(file, "not a JSON object");
            }
            return root;
        } catch (NoSuchFileException e) {
            throw new CheckpointFormatException(file, "there is no such file; download it again", e);
        } catch (JacksonException e) {
            throw new CheckpointFormatException(file, "not valid JSON: " + e.getOriginalMessage(), e);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + file + ": " + e.getMessage(), e);
        }
    }
}
