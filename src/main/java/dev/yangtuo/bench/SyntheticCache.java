package dev.yangtuo.bench;

import dev.yangtuo.exception.YangtuoException;
import dev.yangtuo.kernel.NativeLibrary;
import dev.yangtuo.model.ExportSettings;
import dev.yangtuo.model.LoadSettings;
import dev.yangtuo.model.SyntheticModel;
import dev.yangtuo.model.SyntheticShape;
import dev.yangtuo.tokenizer.SentencePieceModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Synthetic models that are made once and kept, in the folder {@code synthetic} of the cache. A file gets its name when it is complete, so that one that is
 * there is whole; two programs that make the same one at once write the same bytes.
 */
public final class SyntheticCache {
    private SyntheticCache() {}

    /**
     * The file of a model, made if it is not there.
     *
     * @param type of the matrices, for its name; {@code settings} have the same
     * @param tokenizer whose pieces it has; null for made-up ones
     * @throws YangtuoException if there is no place for it, or it cannot be written
     */
    public static Path file(SyntheticShape shape, String type, @Nullable Path tokenizer, LoadSettings settings) {
        Path cache = NativeLibrary.cacheFolder();
        if (cache == null) {
            throw new YangtuoException("there is no folder to keep the model in; name one with YANGTUO_CACHE, or the file with --synthetic-output");
        }
        return file(cache, shape, type, tokenizer, settings);
    }

    static Path file(Path cache, SyntheticShape shape, String type, @Nullable Path tokenizer, LoadSettings settings) {
        Path file = cache.resolve("synthetic").resolve(name(shape, type, tokenizer));
        if (!Files.isRegularFile(file)) {
            try {
                Files.createDirectories(file.getParent());
            } catch (IOException e) {
                throw new YangtuoException("%s: the folder cannot be made: %s; name another with YANGTUO_CACHE".formatted(file.getParent(), e), e);
            }
            write(shape, tokenizer, file, settings);
        }
        return file;
    }

    /** Writes the file of a model, whether one is there or not. Throws what {@link #file} throws. */
    public static void write(SyntheticShape shape, @Nullable Path tokenizer, Path file, LoadSettings settings) {
        SyntheticModel.write(shape, tokenizer, file, new ExportSettings(settings, Long.MAX_VALUE, false));
    }

    /** {@code 1b-q4_0.gguf}; a part of a tokenizer's checksum behind it if it is not the made-up one. */
    private static String name(SyntheticShape shape, String type, @Nullable Path tokenizer) {
        String pieces = tokenizer == null ? "" : "-" + checksum(tokenizer);
        return "%s-%s%s.gguf".formatted(shape.name(), type.toLowerCase(Locale.ROOT).replace(':', '-'), pieces);
    }

    private static String checksum(Path tokenizer) {
        byte[] content = SentencePieceModel.read(tokenizer).toModelFile();
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content), 0, 4);
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java platform has SHA-256", e);
        }
    }
}
