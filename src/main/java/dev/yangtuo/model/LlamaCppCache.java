package dev.yangtuo.model;

import dev.yangtuo.cache.CacheKey;
import dev.yangtuo.cache.CachedParameter;
import dev.yangtuo.cache.FileCache;
import dev.yangtuo.cache.WeightCache;
import dev.yangtuo.exception.YangtuoException;
import dev.yangtuo.kernel.Backend;
import dev.yangtuo.kernel.NativeLibrary;
import dev.yangtuo.lora.LoraAdapter;
import dev.yangtuo.lora.LoraExport;
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
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Keeps the GGUF files that are made for llama.cpp, for one load. Opened when the first one is needed. */
final class LlamaCppCache {
    private static final Logger LOGGER = System.getLogger(LlamaCppCache.class.getName());
    private static final String FOLDER = "gguf";

    private final LoadSettings settings;
    /** {@link WeightCache#now()} before the files of the model were opened. */
    private final long opened;

    LlamaCppCache(LoadSettings settings, long opened) {
        this.settings = settings;
        this.opened = opened;
    }

    /** A model that is there now. */
    record Model(Path file, MergeReport merge, List<String> weightTypes, CacheUse use) {}

    /** The model with its adapters as one GGUF file. */
    Model model(MergedModel merged) {
        merged.tokenizer(); // if anything is wrong with it, before the long part
        GgufExport export = new GgufExport(merged, settings);
        List<String> types = ModelExport.typesByFrequency(export.types());
        return using(merged.path(), cache -> {
            FileCache.Slot slot = cache.slot(key(merged), opened);
            MergeReport found = find(slot, merged);
            if (found != null) {
                return new Model(slot.file(), found, types, CacheUse.READ);
            }
            MergeReport[] report = new MergeReport[1];
            try (Backend backend = settings.backend().get()) {
                slot.write(export.byteSize(), out -> {
                    report[0] = export.write(out, backend);
                    return MergeNote.of(report[0]);
                });
            }
            return new Model(slot.file(), report[0], types, CacheUse.WRITTEN);
        });
    }

    private static @Nullable MergeReport find(FileCache.Slot slot, MergedModel merged) {
        byte[] note = slot.find();
        if (note == null) {
            return null;
        }
        try {
            return MergeNote.restore(merged.finish(), note);
        } catch (IOException e) {
            LOGGER.log(Level.WARNING, "{0}: is not used and will be replaced: {1}", slot.file(), e.getMessage());
            return null;
        }
    }

    private CacheKey key(MergedModel merged) throws IOException {
        TypePlan plan = new TypePlan(settings.types(), merged.config());
        List<CachedParameter> parameters = new ArrayList<>();
        merged.forEach(parameter -> parameters.add(ModelKey.parameter(parameter, plan)));
        CacheKey key = ModelKey.of(merged, settings.lora().float16(), parameters);
        key.add("generation", merged.generation().toString());
        key.add("end ids", merged.endIds().toString());
        key.add("template", merged.chatTemplate().map(ChatTemplateSource::text).orElse(""));
        Path tokenizer = merged.tokenizer().model().source();
        if (Files.isRegularFile(tokenizer) && !tokenizer.equals(merged.path())) {
            key.add("tokenizer", Files.readString(tokenizer, StandardCharsets.ISO_8859_1));
        }
        return key;
    }

    /**
     * An adapter in PEFT's format as a GGUF file.
     *
     * @param architecture of the model
     * @param order what the targets' order depends on beside the architecture
     */
    Path adapter(Path adapter, String architecture, String order, Function<String, LoraExport.Target> target) {
        return using(adapter, cache -> {
            try (LoraAdapter unscaled = LoraAdapter.open(adapter)) {
                CacheKey key = new CacheKey();
                key.add("adapter for", architecture + " " + order);
                ModelKey.addAdapter(key, unscaled);
                FileCache.Slot slot = cache.slot(key, opened);
                if (slot.find() == null) {
                    LoraExport export = new LoraExport(unscaled, architecture, target);
                    slot.write(export.byteSize(), out -> {
                        export.write(out);
                        return new byte[0];
                    });
                }
                return slot.file();
            }
        });
    }

    private interface Use<T> {
        T with(FileCache cache) throws IOException;
    }

    private <T> T using(Path source, Use<T> use) {
        Path folder = folder(source);
        try {
            return use.with(FileCache.open(folder, settings.threads()));
        } catch (IOException | UncheckedIOException | InternalError e) {
            boolean namesTheFileAlone = e instanceof FileSystemException failure && failure.getReason() == null;
            throw new YangtuoException("%s: must be converted for llama.cpp, but the cache cannot be used: %s; name another folder (LoadOptions.cache, --cache)"
                    .formatted(source, namesTheFileAlone ? e.toString() : e.getMessage()), e);
        }
    }

    private Path folder(Path source) {
        Path named = settings.cache();
        Path usual = NativeLibrary.cacheFolder();
        if (named == null && usual == null) {
            throw new YangtuoException(("%s: must be converted for llama.cpp, and there is no folder to keep the result in; name one (LoadOptions.cache, --cache,"
                    + " or the environment variable YANGTUO_CACHE)").formatted(source));
        }
        return named == null ? usual.resolve(FOLDER) : named;
    }
}
