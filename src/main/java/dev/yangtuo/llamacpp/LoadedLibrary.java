package dev.yangtuo.llamacpp;

import dev.yangtuo.exception.NativeLibraryException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Objects;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The one llama.cpp of this process. The dynamic linker keeps what it has loaded, whatever came of it: this is state of the process, and the only place that holds it.
 */
final class LoadedLibrary {
    private static final LoadedLibrary PROCESS = new LoadedLibrary();

    private final ReentrantLock lock = new ReentrantLock();
    private @Nullable Path attempted;
    private @Nullable LlamaCppLibrary library;
    private @Nullable NativeLibraryException failure;

    private LoadedLibrary() {}

    /** The library of this file, which is loaded if none has been. */
    static LlamaCppLibrary of(Path file) {
        return PROCESS.get(file);
    }

    private LlamaCppLibrary get(Path file) {
        lock.lock();
        try {
            Path real = real(file);
            if (attempted == null) {
                attempt(file, real);
            } else if (!attempted.equals(real)) {
                throw new NativeLibraryException(
                        "%s: cannot be loaded, this process has already loaded %s, and a process has one llama.cpp; start another process for another library"
                                .formatted(file, attempted),
                        failure);
            }
            if (failure != null) {
                // A fresh exception: its stack trace belongs to this call.
                throw new NativeLibraryException(failure.getMessage(), failure);
            }
            return Objects.requireNonNull(library);
        } finally {
            lock.unlock();
        }
    }

    private void attempt(Path file, Path real) {
        // Nothing has been loaded if this fails, so that another file may be tried.
        LibraryLoader.requireLoadable(file);
        LibraryLoader.requireCompleteParts(file.getParent());
        attempted = real;
        try {
            library = LlamaCppLibrary.open(file);
        } catch (NativeLibraryException e) {
            failure = e;
        } catch (RuntimeException | LinkageError e) {
            failure = new NativeLibraryException("%s: cannot be used: %s; %s".formatted(file, e, LibrarySearch.REMEDY), e);
        }
    }

    /** The file that links lead to. */
    static Path real(Path file) {
        try {
            return file.toRealPath();
        } catch (IOException e) {
            throw new NativeLibraryException("%s: cannot be read: %s".formatted(file, e), e);
        }
    }
}
