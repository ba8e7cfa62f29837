package dev.yangtuo.checkpoint;

import dev.yangtuo.exception.CheckpointFormatException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Says why a directory holds nothing that can be opened, and what to do about it. */
final class DirectoryContents {
    /** Enough to recognise what a directory is; a home directory may have a million files. */
    private static final int MAX_LISTED = 10_000;

    private static final String PYTORCH_NAME = "pytorch_model";
    private static final Pattern META_SHARD = Pattern.compile("consolidated\\.[0-9][0-9]\\.pth");

    private DirectoryContents() {}

    /** The exception for a directory without {@code baseName.safetensors} and without its index. */
    static CheckpointFormatException noWeights(Path directory, String baseName) {
        if (!Files.isDirectory(directory)) {
            return new CheckpointFormatException(directory, Files.exists(directory)
                    ? "is not a directory; expected one with %s.safetensors".formatted(baseName)
                    : "there is no such directory; expected one with %s.safetensors. Check the path".formatted(baseName));
        }
        for (String name : fileNames(directory)) {
            if (name.startsWith(baseName + "-") && name.endsWith(".safetensors")) {
                return new CheckpointFormatException(directory, ("neither %1$s.safetensors nor %1$s.safetensors.index.json is here, but the shard"
                        + " %2$s is. Download %1$s.safetensors.index.json as well").formatted(baseName, name));
            }
            if (name.startsWith(PYTORCH_NAME + "-") && name.endsWith(".bin")) {
                return new CheckpointFormatException(directory, ("neither %1$s.bin nor %1$s.bin.index.json is here, but the shard %2$s is."
                        + " Download %1$s.bin.index.json as well").formatted(PYTORCH_NAME, name));
            }
        }
        return new CheckpointFormatException(directory, ("neither %1$s.safetensors nor %2$s.bin is here, nor the index of shards of either. Download"
                + " the weights into this directory").formatted(baseName, PYTORCH_NAME));
    }

    /** The files of a model as Meta publishes it, in their order. */
    static List<String> metaShards(Path directory) {
        return fileNames(directory).stream().filter(name -> META_SHARD.matcher(name).matches()).toList();
    }

    /** The first GGUF file of the directory, or null. */
    static @Nullable String ggufFile(Path directory) {
        return fileNames(directory).stream().filter(name -> name.endsWith(".gguf")).findFirst().orElse(null);
    }

    /** Sorted, so that messages do not depend on the file system. */
    private static TreeSet<String> fileNames(Path directory) {
        TreeSet<String> names = new TreeSet<>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory)) {
            for (Path entry : entries) {
                if (names.size() == MAX_LISTED) {
                    break;
                }
                names.add(entry.getFileName().toString());
            }
        } catch (IOException e) {
            throw new UncheckedIOException("%s: the directory cannot be listed: %s".formatted(directory, e.getMessage()), e);
        } catch (DirectoryIteratorException e) {
            throw new UncheckedIOException("%s: the directory cannot be listed".formatted(directory), e.getCause());
        }
        return names;
    }
}
