package dev.yangtuo.checkpoint;

import dev.yangtuo.exception.CheckpointFormatException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;

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
        FileKind kind;
        try (Arena arena = Arena.ofConfined()) {
            MappedFile file = MappedFile.map(model, ACCEPTED, arena);
            kind = file.reading("the first bytes", () -> FileKind.of(file.bytes()));
        }
        return switch (kind) {
            case GGUF -> GgufCheckpoint.open(model);
            case LLAMA2C -> Llama2cCheckpoint.open(model);
            case SAFETENSORS -> throw new CheckpointFormatException(model,
                    "this is a safetensors file; give the directory that holds it together with config.json and the tokenizer");
            case OLD_GGML, ZIP, PICKLE, LFS_POINTER, MARKUP, OTHER -> throw new CheckpointFormatException(model,
                    "this is %s. Expected %s".formatted(kind.description, ACCEPTED));
        };
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
