package dev.yangtuo.checkpoint;

import dev.yangtuo.exception.CheckpointFormatException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Opens a model by its path, whatever its format. */
public final class Checkpoints {
    private static final String ACCEPTED = "a GGUF file, a Hugging Face directory (config.json with model.safetensors or pytorch_model.bin),"
            + " a directory of Meta (params.json with consolidated.00.pth), or a model of llama2.c";
    private static final String CONFIG = "config.json";
    private static final String PARAMS = "params.json";
    private static final String MODEL = "model";
    private static final String PYTORCH_MODEL = "pytorch_model";
    private static final String ADAPTER = "adapter_model";

    private Checkpoints() {}

    /**
     * Opens a model: a GGUF file (a {@link GgufCheckpoint}), a file of llama2.c (a {@link Llama2cCheckpoint}), a directory with
     * {@code config.json} and safetensors (a {@link SafetensorsCheckpoint}) or, without these, PyTorch weights (a {@link PytorchCheckpoint}),
     * or one with {@code params.json} and {@code consolidated.NN.pth} (a {@link MetaCheckpoint}).
     *
     * @throws CheckpointFormatException if the path is none of them, or its files are damaged or incomplete
     */
    public static Checkpoint open(Path model) {
        if (Files.isDirectory(model)) {
            return openDirectory(model);
        }
        FileKind kind = kindOf(model);
        return switch (kind) {
            case GGUF -> GgufCheckpoint.open(model);
            case LLAMA2C -> Llama2cCheckpoint.open(model);
            case SAFETENSORS, ZIP -> throw new CheckpointFormatException(model, ("this is %s; give the directory that holds it together with"
                    + " config.json (params.json beside Meta's consolidated.NN.pth) and the tokenizer").formatted(kind.description));
            case OLD_GGML, PICKLE, TAR, LFS_POINTER, MARKUP, OTHER -> throw new CheckpointFormatException(model,
                    "this is %s. Expected %s".formatted(kind.description, ACCEPTED));
        };
    }

    /**
     * Opens the tensors of a path, whatever they are for: of a model, of an adapter, of a single file of safetensors or PyTorch weights. What a model needs beside
     * them is not asked for.
     *
     * @return null for a directory without weights, and for a file that is in no format for tensors
     * @throws CheckpointFormatException if there is no such path, or its files are damaged, incomplete or of a kind that is not supported
     */
    public static @Nullable Checkpoint openTensors(Path path) {
        if (Files.isDirectory(path)) {
            return openDirectoryTensors(path);
        }
        return switch (kindOf(path)) {
            case SAFETENSORS -> SafetensorsCheckpoint.open(path);
            case ZIP -> PytorchCheckpoint.open(path);
            case OTHER -> null;
            default -> open(path);
        };
    }

    private static @Nullable Checkpoint openDirectoryTensors(Path directory) {
        for (String baseName : List.of(MODEL, ADAPTER)) {
            if (SafetensorsCheckpoint.isIn(directory, baseName)) {
                return SafetensorsCheckpoint.openDirectory(directory, baseName);
            }
        }
        for (String baseName : List.of(PYTORCH_MODEL, ADAPTER)) {
            if (PytorchCheckpoint.isIn(directory, baseName)) {
                return PytorchCheckpoint.openDirectory(directory, baseName);
            }
        }
        return MetaCheckpoint.isIn(directory) ? MetaCheckpoint.openDirectory(directory) : null;
    }

    private static FileKind kindOf(Path path) {
        try (Arena arena = Arena.ofConfined()) {
            MappedFile file = MappedFile.map(path, ACCEPTED, arena);
            return file.reading("the first bytes", () -> FileKind.of(file.bytes()));
        }
    }

    private static Checkpoint openDirectory(Path directory) {
        boolean hasConfig = Files.exists(directory.resolve(CONFIG));
        if (hasConfig && SafetensorsCheckpoint.isIn(directory, MODEL)) {
            return SafetensorsCheckpoint.openDirectory(directory, MODEL);
        }
        if (hasConfig && PytorchCheckpoint.isIn(directory, PYTORCH_MODEL)) {
            return PytorchCheckpoint.openDirectory(directory, PYTORCH_MODEL);
        }
        if (MetaCheckpoint.isIn(directory)) {
            if (!Files.exists(directory.resolve(PARAMS))) {
                throw new CheckpointFormatException(directory, "%s is missing beside consolidated.00.pth. Download it as well".formatted(PARAMS));
            }
            return MetaCheckpoint.openDirectory(directory);
        }
        if (hasConfig) {
            throw DirectoryContents.noWeights(directory, MODEL);
        }
        if (Files.exists(directory.resolve("adapter_config.json"))) {
            throw new CheckpointFormatException(directory,
                    "this is a LoRA adapter (it has adapter_config.json, but no config.json); give it as an adapter to a base model");
        }
        String gguf = DirectoryContents.ggufFile(directory);
        if (gguf != null) {
            throw new CheckpointFormatException(directory, "config.json is missing, but there is %s; give that file".formatted(Quoted.text(gguf)));
        }
        throw new CheckpointFormatException(directory, "config.json is missing; expected " + ACCEPTED);
    }
}
