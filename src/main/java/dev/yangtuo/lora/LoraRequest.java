package dev.yangtuo.lora;

import java.nio.file.Path;

/**
 * An adapter that is to be merged.
 *
 * @param path a directory in PEFT's format, or a GGUF file
 * @param scale what the adapter's deltas are multiplied with beside their own scale: LoRA's products, also inside DoRA's norms, and the biases
 *     beside them. What an adapter brings whole (matrices, biases, rows) is not scaled. Finite; 0 leaves the deltas out, 1 changes nothing
 */
public record LoraRequest(Path path, double scale) {
    /** Checks the scale. */
    public LoraRequest {
        if (!Double.isFinite(scale)) {
            throw new IllegalArgumentException("the scale of %s is %s, must be finite".formatted(path, scale));
        }
    }
}
