package dev.yangtuo.model;

import dev.yangtuo.cache.CacheFile;
import dev.yangtuo.cache.CacheKey;
import dev.yangtuo.cache.CachedParameter;
import dev.yangtuo.cache.PackedParameter;
import dev.yangtuo.cache.WeightCache;
import dev.yangtuo.exception.KernelException;
import dev.yangtuo.kernel.Backend;
import dev.yangtuo.kernel.PackedFiles;
import dev.yangtuo.lora.LoraAdapter;
import dev.yangtuo.lora.MergeReport;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The cache as one load uses it: whatever fails is said, and the model is loaded from its files. */
final class LoadCache {
    private static final Logger LOGGER = System.getLogger(LoadCache.class.getName());
    /** Configurations have some kilobytes. */
    private static final long MAX_JSON_BYTES = 16 << 20;

    private final Backend backend;
    private final PackedFiles files;
    private final MergedModel merged;
    private final TypePlan plan;
    private final WeightCache.Slot slot;
    private final List<CachedParameter> parameters = new ArrayList<>();

    private LoadCache(Backend backend, PackedFiles files, MergedModel merged, TypePlan plan, LoadSettings settings, Path folder, long opened) throws IOException {
        this.backend = backend;
        this.files = files;
        this.merged = merged;
        this.plan = plan;
        merged.forEach(parameter -> parameters.add(new CachedParameter(
                parameter.name(), plan.typeOf(parameter), parameter.isVector() ? 0 : parameter.rows().rows(), parameter.rows().columns())));
        WeightCache cache = WeightCache.open(folder, files.layoutVersion(), files.userId(), settings.threads());
        this.slot = cache.slot(key(settings), opened);
    }

    /**
     * The cache that the settings name; null if they name none, or it cannot be used.
     *
     * @param opened {@link WeightCache#now()} before the model was opened
     */
    static @Nullable LoadCache of(Backend backend, MergedModel merged, TypePlan plan, LoadSettings settings, long opened) {
        if (settings.cache() == null) {
            return null;
        }
        PackedFiles files = backend.packedFiles();
        if (files == null) {
            LOGGER.log(Level.WARNING, "the cache of weights is not used: the {0} backend packs none", backend.name());
            return null;
        }
        try {
            return new LoadCache(backend, files, merged, plan, settings, settings.cache(), opened);
        } catch (IOException | UncheckedIOException | InternalError e) {
            boolean namesTheFileAlone = e instanceof FileSystemException failure && failure.getReason() == null;
            LOGGER.log(Level.WARNING, "the cache of weights is not used: {0}", namesTheFileAlone ? e.toString() : e.getMessage());
            return null;
        }
    }

    private CacheKey key(LoadSettings settings) throws IOException {
        CacheKey key = new CacheKey();
        key.add("config", merged.config().toString());
        key.add("float16", Boolean.toString(settings.lora().float16()));
        for (CachedParameter parameter : parameters) {
            key.add("parameter", parameter.name() + " " + parameter.type() + " " + parameter.rows() + " " + parameter.columns());
        }
        key.add("source", merged.source().getClass().getSimpleName());
        addConfigurations(key, merged.path());
        merged.source().checkpoint().contents().forEach(key::addContent);
        for (LoraAdapter adapter : merged.adapters()) {
            key.add("adapter", adapter.format().label() + " " + Double.toHexString(adapter.scale()));
            addConfigurations(key, adapter.path());
            adapter.contents().forEach(key::addContent);
        }
        return key;
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

    /** Weights that were mapped, and what their merge had done. */
    record Found(ModelWeights weights, MergeReport report) {}

    /** The weights, if they are there. */
    @Nullable Found find(WeightAssembly assembly, EncodeProgress progress) {
        CacheFile file = slot.find(parameters);
        if (file == null) {
            return null;
        }
        try {
            MergeReport report = MergeNote.restore(merged.finish(), file.note());
            return new Found(assembly.assemble(new MappedWeights(backend, files, file, plan, progress)), report);
        } catch (IOException | KernelException | IllegalArgumentException e) {
            LOGGER.log(Level.WARNING, "{0}: is not used and will be replaced: {1}", file.path(), e.getMessage());
            return null;
        }
    }

    /** Keeps the weights. */
    CacheUse write(List<PackedParameter> packed, MergeReport report) {
        return slot.write(packed, MergeNote.of(report)) ? CacheUse.WRITTEN : CacheUse.NONE;
    }
}
