package dev.yangtuo.llamacpp;

import dev.yangtuo.bindings.llamacpp.LlamaCpp;
import dev.yangtuo.bindings.llamacpp.llama_model_params;
import dev.yangtuo.exception.TokenizerFormatException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Function;

/** A model of llama.cpp that is loaded without weights. Freed once, when nobody uses it: by {@link #run}, which a cleaner may call. */
final class NativeVocabulary implements Runnable {
    private final Path file;
    private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock();
    /** {@code llama_model *}; null when freed. Guarded by the lock. */
    private MemorySegment model;

    private NativeVocabulary(Path file, MemorySegment model) {
        this.file = file;
        this.model = model;
    }

    /** @throws TokenizerFormatException if llama.cpp cannot read it */
    static NativeVocabulary load(LlamaCppLibrary library, Path file) {
        try (Arena arena = Arena.ofConfined(); LlamaCppLog.Capture errors = library.log().capture()) {
            MemorySegment parameters = LlamaCpp.llama_model_default_params(arena);
            llama_model_params.vocab_only(parameters, true);
            MemorySegment model = LlamaCpp.llama_model_load_from_file(arena.allocateFrom(file.toString()), parameters);
            if (model.equals(MemorySegment.NULL)) {
                throw new TokenizerFormatException(file, "llama.cpp %s cannot read its vocabulary: %s".formatted(library.version(), errors.text()));
            }
            return new NativeVocabulary(file, model);
        }
    }

    /**
     * Does something with {@code llama_vocab *}, which is not freed meanwhile.
     *
     * @throws IllegalStateException if it is freed
     */
    <T> T use(Function<MemorySegment, T> action) {
        lock.readLock().lock();
        try {
            if (model.equals(MemorySegment.NULL)) {
                throw new IllegalStateException("llama.cpp's tokenizer of %s is closed".formatted(file));
            }
            return action.apply(LlamaCpp.llama_model_get_vocab(model));
        } finally {
            lock.readLock().unlock();
        }
    }

    /** Frees it, after those who use it. */
    @Override
    public void run() {
        lock.writeLock().lock();
        try {
            if (!model.equals(MemorySegment.NULL)) {
                LlamaCpp.llama_model_free(model);
                model = MemorySegment.NULL;
            }
        } finally {
            lock.writeLock().unlock();
        }
    }
}
