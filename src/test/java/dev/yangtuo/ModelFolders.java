package dev.yangtuo;

import java.net.URISyntaxException;
import java.nio.file.Path;

/** Where the models are that tests load. */
public final class ModelFolders {
    /** The demonstration model: {@code base}, {@code chinese-lora}, {@code alpaca-lora}, {@code golden}, {@code text}. */
    public static final Path DEMO = Path.of("examples", "demo-model");

    private ModelFolders() {}

    /** {@code base} (random weights, three layers) or {@code plain} (an adapter for it). */
    public static Path tiny(String name) {
        try {
            return Path.of(ModelFolders.class.getResource("/models/tiny/" + name).toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }
}
