package dev.yangtuo.model;

import dev.yangtuo.cache.CacheKey;
import dev.yangtuo.cache.CachedParameter;
import dev.yangtuo.lora.LoraAdapter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** Makes the keys under which caches know a model with its adapters. */
final class ModelKey {
    /** Configurations have some kilobytes. */
    private static final long MAX_JSON_BYTES = 16 << 20;

    private ModelKey() {}

    /** A parameter as it is kept. */
    static CachedParameter parameter(MergedParameter parameter, TypePlan plan) {
        return new CachedParameter(
                parameter.name(), plan.typeOf(parameter), parameter.isVector() ? 0 : parameter.rows().rows(), parameter.rows().columns());
    }

    /**
     * Everything that the merged weights depend on.
     *
     * @param float16 whether the merge rounds to float16 after each adapter
     * @param parameters as they are kept
     * @throws IOException if a configuration cannot be read
     */
    static CacheKey of(MergedModel merged, boolean float16, List<CachedParameter> parameters) throws IOException {
        CacheKey key = new CacheKey();
        key.add("config", merged.config().toString());
        key.add("float16", Boolean.toString(float16));
        for (CachedParameter parameter : parameters) {
            key.add("parameter", parameter.name() + " " + parameter.type() + " " + parameter.rows() + " " + parameter.columns());
        }
        key.add("source", merged.source().getClass().getSimpleName());
        addConfigurations(key, merged.path());
        merged.source().checkpoint().contents().forEach(key::addContent);
        for (LoraAdapter adapter : merged.adapters()) {
            key.add("adapter", adapter.format().label() + " " + Double.toHexString(adapter.scale()));
            addAdapter(key, adapter);
        }
        return key;
    }

    /** An adapter's files. */
    static void addAdapter(CacheKey key, LoraAdapter adapter) throws IOException {
        addConfigurations(key, adapter.path());
        adapter.contents().forEach(key::addContent);
    }

    /** Of a directory all that could say how its tensors are to be taken. */
    private static void addConfigurations(CacheKey key, Path path) throws IOException {
        if (!Files.isDirectory(path)) {
            return;
        }
        List<Path> files;
        try (Stream<Path> all = Files.list(path)) {
            files = all.filter(file -> file.toString().endsWith(".json") && Files.isRegularFile(file) && !file.endsWith("tokenizer.json")).sorted().toList();
        }
        for (Path file : files) {
            if (Files.size(file) > MAX_JSON_BYTES) {
                throw new IOException("%s: has more than %d bytes".formatted(file, MAX_JSON_BYTES));
            }
            key.add(file.getFileName().toString(), Files.readString(file, StandardCharsets.ISO_8859_1));
        }
    }
}
