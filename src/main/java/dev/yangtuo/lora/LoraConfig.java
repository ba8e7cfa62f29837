package dev.yangtuo.lora;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.yangtuo.exception.AdapterException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What {@code adapter_config.json} says of a LoRA adapter, as far as it decides the result. What would change the result
 * and is not implemented (replicated layers, quantized adapters, a base that the initialization altered) is refused by name when it is read;
 * keys that decide nothing here (dropout, task, revision, which modules were chosen) are ignored. Immutable and thread-safe.
 *
 * @param file the file it was read from, for messages
 * @param scaling how deltas are scaled
 * @param fanInFanOut the base stores its matrices as [in, out], so that deltas are transposed
 * @param dora each LoRA comes with a trained norm for each output (DoRA)
 * @param loraBias each LoRA of a matrix comes with a bias beside lora_B
 * @param tokens which rows of vocabulary matrices were trained singly
 * @param modulesToSave modules that the adapter brings whole, as the configuration lists them
 * @param baseModel the name of the model it was trained on, for messages
 */
public record LoraConfig(
        Path file,
        LoraScaling scaling,
        boolean fanInFanOut,
        boolean dora,
        boolean loraBias,
        List<TokenIndices> tokens,
        List<String> modulesToSave,
        @Nullable String baseModel) {

    /**
     * Rows that were trained singly.
     *
     * @param module the end of the module's name; null: whichever has such rows
     * @param indices token ids, each once, in the order of the trained rows
     */
    public record TokenIndices(@Nullable String module, List<Integer> indices) {
        /** Copies the list. */
        public TokenIndices {
            indices = List.copyOf(indices);
        }
    }

    /** Largest configuration that is read; one with a rank for each module of a large model has 40 kB. */
    static final int MAX_BYTES = 1 << 20;

    /** Copies the lists. */
    public LoraConfig {
        tokens = List.copyOf(tokens);
        modulesToSave = List.copyOf(modulesToSave);
    }

    /**
     * @param file an {@code adapter_config.json}
     * @throws AdapterException if it cannot be read, is damaged, or asks for what is not supported
     */
    public static LoraConfig read(Path file) {
        byte[] bytes;
        try (InputStream in = Files.newInputStream(file)) {
            bytes = in.readNBytes(MAX_BYTES + 1);
        } catch (IOException e) {
            throw new AdapterException(file, "cannot be read: " + e, e);
        }
        if (bytes.length > MAX_BYTES) {
            throw new AdapterException(file, "is larger than %d bytes, which no adapter configuration is".formatted(MAX_BYTES));
        }
        return parse(bytes, file);
    }

    /** Reads a configuration from memory; {@code file} is for messages. */
    static LoraConfig parse(byte[] json, Path file) {
        JsonNode root;
        try {
            root = JsonMapper.builder()
                    .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                    .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
                    .build()
                    .readTree(json);
        } catch (JacksonException e) {
            throw new AdapterException(file, "is not JSON: " + e.getOriginalMessage().lines().findFirst().orElse(""), e);
        } catch (IOException e) {
            throw new AdapterException(file, "is not JSON: " + e.getMessage(), e);
        }
        if (!root.isObject()) {
            throw new AdapterException(file, "is not a JSON object");
        }
        return new LoraConfigReader(file, root).config();
    }

    /** {@code r}, at least 1. Only compared: the rank that counts is the tensors'. */
    public int rank() {
        return scaling.rank();
    }

    /** {@code lora_alpha}, finite. */
    public double alpha() {
        return scaling.alpha();
    }

    /** Whether the scale is {@code alpha / sqrt(rank)} instead of {@code alpha / rank}. */
    public boolean rsLora() {
        return scaling.rsLora();
    }

    /** The token ids of the rows of a module ({@code model.embed_tokens}) that were trained singly; null if none are named. */
    @Nullable List<Integer> tokensOf(String module) {
        for (TokenIndices candidate : tokens) {
            String name = candidate.module;
            if (name == null || module.equals(name) || module.endsWith("." + name)) {
                return candidate.indices;
            }
        }
        return null;
    }
}
