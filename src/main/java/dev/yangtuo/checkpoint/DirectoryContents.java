package dev.yangtuo.checkpoint;

import dev.yangtuo.exception.CheckpointFormatException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** Says why a directory holds nothing that can be opened, and what to do about it. */
final class DirectoryContents {
    /** Enough to recognise what a directory is; a home directory may have a million files. */
    private static final int MAX_LISTED = 10_000;

    private DirectoryContents() {}

    /** The exception for a directory without {@code baseName.safetensors} and without its index. */
    static CheckpointFormatException noWeights(Path directory, String baseName) {
        if (!Files.isDirectory(directory)) {
            return new CheckpointFormatException(directory, Files.exists(directory)
                    ? "is not a directory; expected one with %s.safetensors".formatted(baseName)
                    : "there is no such directory; expected one with %s.safetensors. Check the path".formatted(baseName));
        }
        String pytorch = "";
        String shard = "";
        for (String name : fileNames(directory)) {
            if (isPytorch(name)) {
                pytorch = name;
            } else if (name.startsWith(baseName + "-") && name.endsWith(".safetensors")) {
                shard = name;
            }
        }
        String expected = "neither %1$s.safetensors nor %1$s.safetensors.index.json is here".formatted(baseName);
        if (!shard.isEmpty()) {
            return new CheckpointFormatException(directory,
                    "%s, but the shard %s is. Download %s.safetensors.index.json as well".formatted(expected, shard, baseName));
        }
        if (!pytorch.isEmpty()) {
            return new CheckpointFormatException(directory, ("%s, only %s. PyTorch files are not supported by this version; convert the"
                    + " weights to safetensors").formatted(expected, pytorch));
        }
        return new CheckpointFormatException(directory, expected + ". Download the weights into this directory");
    }

    /** Whether the directory holds weights in PyTorch's formats. */
    static boolean hasPytorchFiles(Path directory) {
        return fileNames(directory).stream().anyMatch(DirectoryContents::isPytorch);
    }

    /** The first GGUF file of the directory, or null. */
    static @Nullable String ggufFile(Path directory) {
        return fileNames(directory).stream().filter(name -> name.endsWith(".gguf")).findFirst().orElse(null);
    }

    private static boolean isPytorch(String name) {
        return name.endsWith(".pth") || name.endsWith(".pt")
                || name.endsWith(".bin") && (name.startsWith("pytorch_model") || name.startsWith("adapter_model"));
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
