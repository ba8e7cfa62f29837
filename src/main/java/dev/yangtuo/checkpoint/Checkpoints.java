package dev.yangtuo.checkpoint;

import dev.yangtuo.exception.CheckpointFormatException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Opens a model by its path, whatever its format. */
public final class Checkpoints {
    private static final String ACCEPTED = "a GGUF file, a model file of llama2.c, or a Hugging Face directory with config.json and model.safetensors";

    private Checkpoints() {}

    /**
     * Opens a model: a GGUF file (a {@link GgufCheckpoint}), a model file of llama2.c (a {@link Llama2cCheckpoint}), or a directory with {@code config.json} and safetensors (a
     * {@link SafetensorsCheckpoint}).
     *
     * @throws CheckpointFormatException if the path is neither, or its files are damaged or incomplete
     */
    public static Checkpoint open(Path model) {
        if (Files.isDirectory(model)) {
            return openDirectory(model);
        }
        FileKind kind = kindOf(model);
        return switch (kind) {
            case GGUF -> GgufCheckpoint.open(model);
            case LLAMA2C -> Llama2cCheckpoint.open(model);
            case SAFETENSORS -> throw new CheckpointFormatException(model,
                    "this is a safetensors file; give the directory that holds it together with config.json and the tokenizer");
            case OLD_GGML, ZIP, PICKLE, LFS_POINTER, MARKUP, OTHER -> throw new CheckpointFormatException(model,
                    "this is %s. Expected %s".formatted(kind.description, ACCEPTED));
        };
    }

    /**
     * Opens the tensors of a path, whatever they are for: of a model, of an adapter, of a single safetensors file. What a model needs beside
     * them is not asked for.
     *
     * @return null for a directory without weights, and for a file that is in no format for tensors
     * @throws CheckpointFormatException if there is no such path, or its files are damaged, incomplete or of a kind that is not supported
     */
    public static @Nullable Checkpoint openTensors(Path path) {
        if (Files.isDirectory(path)) {
            for (String baseName : List.of("model", "adapter_model")) {
                if (Files.exists(path.resolve(baseName + ".safetensors")) || Files.exists(path.resolve(baseName + ".safetensors.index.json"))) {
                    return SafetensorsCheckpoint.openDirectory(path, baseName);
                }
            }
            return null;
        }
        return switch (kindOf(path)) {
            case SAFETENSORS -> SafetensorsCheckpoint.open(path);
            case OTHER -> null;
            default -> open(path);
        };
    }

    private static FileKind kindOf(Path path) {
        try (Arena arena = Arena.ofConfined()) {
            MappedFile file = MappedFile.map(path, ACCEPTED, arena);
            return file.reading("the first bytes", () -> FileKind.of(file.bytes()));
        }
    }

    private static SafetensorsCheckpoint openDirectory(Path directory) {
        if (Files.exists(directory.resolve("config.json"))) {
            return SafetensorsCheckpoint.openDirectory(directory, "model");
        }
        if (Files.exists(directory.resolve("adapter_config.json"))) {
            throw new CheckpointFormatException(directory,
                    "this is a LoRA adapter (it has adapter_config.json, but no config.json); give it as an adapter to a base model");
        }
        String gguf = DirectoryContents.ggufFile(directory);
        if (gguf != null) {
            throw new CheckpointFormatException(directory, "config.json is missing, but there is %s; give that file".formatted(Quoted.text(gguf)));
        }
        if (DirectoryContents.hasPytorchFiles(directory)) {
            throw new CheckpointFormatException(directory, ("config.json is missing, and the weights are PyTorch files, which are not supported"
                    + " by this version. Convert the model to Hugging Face safetensors; expected %s").formatted(ACCEPTED));
        }
        throw new CheckpointFormatException(directory, "config.json is missing; expected " + ACCEPTED);
    }
}
