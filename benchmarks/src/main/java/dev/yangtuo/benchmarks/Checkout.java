package dev.yangtuo.benchmarks;

import java.nio.file.Files;
import java.nio.file.Path;

/** The files of this repository, whatever the working directory is. The scripts name its folder in the property {@code yangtuo.home}. */
public final class Checkout {
    /** The tokenizer of the demonstration model, English and Chinese pieces. */
    public static final String DEMO_MODEL = "examples/demo-model/chinese-lora/tokenizer.model";

    private Checkout() {}

    /**
     * {@return a file}
     *
     * @param path absolute, or relative to the repository
     * @throws IllegalArgumentException if there is no such file
     */
    public static Path file(String path) {
        Path file = folder().resolve(path);
        if (!Files.isRegularFile(file)) {
            throw new IllegalArgumentException("%s: there is no such file; name one by its absolute path, or relative to %s"
                    .formatted(file, folder()));
        }
        return file;
    }

    /** {@return where builds put what they make; not created here} */
    public static Path target(String name) {
        return folder().resolve("benchmarks/target").resolve(name);
    }

    /** {@return where results are put; not created here} */
    public static Path results(String name) {
        return folder().resolve("benchmarks/results").resolve(name);
    }

    private static Path folder() {
        return Path.of(System.getProperty("yangtuo.home", ".")).toAbsolutePath().normalize();
    }
}
