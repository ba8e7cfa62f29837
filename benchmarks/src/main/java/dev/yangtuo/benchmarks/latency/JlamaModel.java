package dev.yangtuo.benchmarks.latency;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.github.tjake.jlama.safetensors.DType;
import com.github.tjake.jlama.safetensors.SafeTensorSupport;
import dev.yangtuo.ConvertOptions;
import dev.yangtuo.Llama;
import dev.yangtuo.LoadOptions;
import dev.yangtuo.WeightType;
import dev.yangtuo.benchmarks.tokenizer.HuggingFaceJson;
import dev.yangtuo.tokenizer.SentencePieceModel;
import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Optional;
import java.util.Set;

/**
 * A GGUF file as Jlama reads models: a Hugging Face directory with {@code tokenizer.json}. Its kernels know float32, bfloat16 and blocks of 32 weights of 4 bits, so a
 * model of floats becomes one of bfloat16, and any other is quantized to 4 bits by Jlama itself.
 */
final class JlamaModel {
    private static final Set<String> FLOATS = Set.of("F32", "F16", "BF16");
    /** Positions that it is told the model has, so that all prompts fit. */
    private static final int POSITIONS = 4096;

    private JlamaModel() {}

    /** Writes the directory, which appears when it is complete. */
    static void write(Path gguf, Path directory) throws IOException {
        Path unfinished = Files.createTempDirectory(directory.getParent(), "jlama");
        try {
            Path floats = unfinished.resolve("floats");
            Llama.convert(gguf, floats, LoadOptions.defaults().quantize(WeightType.BF16), ConvertOptions.defaults());
            complete(floats);
            Path finished = isFloat(gguf) ? floats
                    : SafeTensorSupport.quantizeModel(floats, DType.Q4, new String[] {"norm"}, null, Optional.of(unfinished.resolve("q4")));
            Files.move(finished, directory, StandardCopyOption.ATOMIC_MOVE);
        } finally {
            delete(unfinished);
        }
    }

    private static boolean isFloat(Path gguf) {
        try (Llama llama = Llama.load(gguf, LoadOptions.defaults().context(1))) {
            return FLOATS.contains(llama.report().weightTypes().getFirst());
        }
    }

    private static void complete(Path directory) throws IOException {
        JsonMapper json = new JsonMapper();
        Path config = directory.resolve("config.json");
        ObjectNode root = (ObjectNode) json.readTree(config.toFile());
        root.put("max_position_embeddings", POSITIONS);
        json.writeValue(config.toFile(), root);
        Files.write(directory.resolve("tokenizer.json"), HuggingFaceJson.of(SentencePieceModel.read(directory.resolve("tokenizer.model"))));
        Files.writeString(directory.resolve("README.md"), "# " + directory.getFileName() + "\n"); // its quantizer copies one
    }

    private static void delete(Path directory) throws IOException {
        Files.walkFileTree(directory, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                Files.delete(file);
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path visited, IOException problem) throws IOException {
                Files.delete(visited);
                return FileVisitResult.CONTINUE;
            }
        });
    }
}
