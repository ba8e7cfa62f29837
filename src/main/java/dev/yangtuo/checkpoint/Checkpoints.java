package dev.yangtuo.checkpoint;

import dev.yangtuo.exception.CheckpointFormatException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;

/** Opens a model by its path, whatever its format. */
public final class Checkpoints {
    private static final String ACCEPTED = "a GGUF file, a Hugging Face directory (config.json with model.safetensors or pytorch_model.bin),"
            + " a directory of Meta (params.json with consolidated.00.pth), or a model of llama2.c";
    private static final String CONFIG = "config.json";
    private static final String PARAMS = "params.json";

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
        FileKind kind;
        try (Arena arena = Arena.ofConfined()) {
            MappedFile file = MappedFile.map(model, ACCEPTED, arena);
            kind = file.reading("the first bytes", () -> FileKind.of(file.bytes()));
        }
        return switch (kind) {
            case GGUF -> GgufCheckpoint.open(model);
            case LLAMA2C -> Llama2cCheckpoint.open(model);
            case SAFETENSORS, ZIP -> throw new CheckpointFormatException(model, ("this is %s; give the directory that holds it together with"
                    + " config.json (params.json beside Meta's consolidated.NN.pth) and the tokenizer").formatted(kind.description));
            case OLD_GGML, PICKLE, TAR, LFS_POINTER, MARKUP, OTHER -> throw new CheckpointFormatException(model,
                    "this is %s. Expected %s".formatted(kind.description, ACCEPTED));
        };
    }

    private static Checkpoint openDirectory(Path directory) {
        boolean hasConfig = Files.exists(directory.resolve(CONFIG));
        if (hasConfig && SafetensorsCheckpoint.isIn(directory, "model")) {
            return SafetensorsCheckpoint.openDirectory(directory, "model");
        }
        if (hasConfig && PytorchCheckpoint.isIn(directory, "pytorch_model")) {
            return PytorchCheckpoint.openDirectory(directory, "pytorch_model");
        }
        if (MetaCheckpoint.isIn(directory)) {
            if (!Files.exists(directory.resolve(PARAMS))) {
                throw new CheckpointFormatException(directory, "%s is missing beside consolidated.00.pth. Download it as well".formatted(PARAMS));
            }
            return MetaCheckpoint.openDirectory(directory);
        }
        if (hasConfig) {
            throw DirectoryContents.noWeights(directory, "model");
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
