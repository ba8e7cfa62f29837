package dev.yangtuo.model;

import dev.yangtuo.cache.CacheFile;
import dev.yangtuo.cache.CachedParameter;
import dev.yangtuo.cache.PackedParameter;
import dev.yangtuo.cache.WeightCache;
import dev.yangtuo.exception.DeviceException;
import dev.yangtuo.exception.KernelException;
import dev.yangtuo.kernel.Backend;
import dev.yangtuo.kernel.PackedFiles;
import dev.yangtuo.lora.MergeReport;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.FileSystemException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The cache as one load uses it: whatever fails is said, and the model is loaded from its files. */
final class LoadCache {
    private static final Logger LOGGER = System.getLogger(LoadCache.class.getName());

    private final MergedModel merged;
    private final TypePlan plan;
    private final WeightCache.Slot slot;
    private final List<CachedParameter> parameters = new ArrayList<>();

    private LoadCache(PackedFiles files, MergedModel merged, TypePlan plan, LoadSettings settings, Path folder, long opened) throws IOException {
        this.merged = merged;
        this.plan = plan;
        merged.forEach(parameter -> parameters.add(ModelKey.parameter(parameter, plan)));
        WeightCache cache = WeightCache.open(folder, files.layoutVersion(), files.userId(), settings.threads());
        this.slot = cache.slot(ModelKey.of(merged, settings.lora().float16(), parameters), opened);
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
            return new LoadCache(files, merged, plan, settings, settings.cache(), opened);
        } catch (IOException | UncheckedIOException | InternalError e) {
            boolean namesTheFileAlone = e instanceof FileSystemException failure && failure.getReason() == null;
            LOGGER.log(Level.WARNING, "the cache of weights is not used: {0}", namesTheFileAlone ? e.toString() : e.getMessage());
            return null;
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
            return new Found(assembly.assemble(new MappedWeights(file, plan, progress)), report);
        } catch (DeviceException e) {
            throw e; // the file is not to blame
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
