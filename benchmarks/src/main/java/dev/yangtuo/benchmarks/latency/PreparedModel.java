package dev.yangtuo.benchmarks.latency;

import dev.yangtuo.Llama;
import dev.yangtuo.LoadOptions;
import dev.yangtuo.WeightType;
import dev.yangtuo.benchmarks.Checkout;
import dev.yangtuo.exception.YangtuoException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;

/**
 * A model in the form that each engine reads: the same GGUF file for us and llama.cpp, a Hugging Face directory for Jlama.
 *
 * @param name as results show it
 * @param gguf the file
 * @param type of its weights; empty for a file that was there
 */
record PreparedModel(String name, Path gguf, Optional<WeightType> type) {
    private static final String DEMO = "demo:";
    private static final Path FOLDER = Checkout.target("latency");

    /**
     * {@return a model}
     *
     * @param parameter {@code demo:TYPE} for the demonstration model with its Chinese adapter, or a GGUF file
     * @throws IllegalArgumentException if it is neither
     */
    static PreparedModel of(String parameter) {
        if (parameter.startsWith(DEMO)) {
            WeightType type = WeightType.of(parameter.substring(DEMO.length()));
            String name = "demo-" + type.name().toLowerCase(Locale.ROOT);
            return new PreparedModel(name, FOLDER.resolve(name + ".gguf"), Optional.of(type));
        }
        Path file = Path.of(parameter).toAbsolutePath().normalize();
        if (!Files.isRegularFile(file) || !file.toString().endsWith(".gguf")) {
            throw new IllegalArgumentException("%s is not a GGUF file that is there; expected one, or demo:TYPE".formatted(parameter));
        }
        return new PreparedModel(file.getFileName().toString().replaceFirst("\\.gguf$", ""), file, Optional.empty());
    }

    /** {@return whether it is the demonstration model} */
    boolean isDemo() {
        return type.isPresent();
    }

    /** Makes what is not there yet. */
    void prepare() {
        if (isDemo() && !Files.exists(gguf)) {
            createFolder();
            Llama.convert(demoFolder().resolve("base"), gguf, LoadOptions.defaults().lora(demoFolder().resolve("chinese-lora")).quantize(type.orElseThrow()));
        }
    }

    private static void createFolder() {
        try {
            Files.createDirectories(FOLDER);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** {@return the folder of the demonstration model, with its base and its adapters} */
    static Path demoFolder() {
        return Checkout.file("examples/demo-model/README.md").getParent();
    }

    /**
     * {@return the directory for Jlama, made when first asked for}
     *
     * @throws IllegalStateException if it cannot be
     */
    Path jlama() {
        Path directory = FOLDER.resolve(name + "-jlama");
        if (!Files.isDirectory(directory)) {
            createFolder();
            try {
                JlamaModel.write(gguf, directory);
            } catch (YangtuoException | IllegalArgumentException e) {
                throw new IllegalStateException("%s cannot be converted for Jlama: %s".formatted(name, e.getMessage()), e);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
        return directory;
    }
}
