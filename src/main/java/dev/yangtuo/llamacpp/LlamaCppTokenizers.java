package dev.yangtuo.llamacpp;

import dev.yangtuo.exception.NativeLibraryException;
import dev.yangtuo.exception.TokenizerFormatException;
import dev.yangtuo.model.TokenizerFiles;
import dev.yangtuo.tokenizer.Tokenizer;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** Chooses between Yangtuo's tokenizer and llama.cpp's. */
public final class LlamaCppTokenizers {
    private LlamaCppTokenizers() {}

    /**
     * llama.cpp's tokenizer of a file that Yangtuo cannot read the tokenizer of, where it is of a kind that Yangtuo does not know.
     *
     * @param reason why it cannot; thrown if the tokenizer is of a known kind, and so damaged
     */
    static Tokenizer instead(LlamaCppLibrary library, Path gguf, TokenizerFormatException reason) {
        if (TokenizerFiles.knows(gguf)) {
            throw reason;
        }
        return own(library, gguf);
    }

    /**
     * llama.cpp's tokenizer, whatever Yangtuo knows.
     *
     * @param gguf a model or a vocabulary
     * @throws TokenizerFormatException if it is no such file, damaged, or of a kind that llama.cpp does not know
     */
    public static Tokenizer own(LlamaCppLibrary library, Path gguf) {
        if (!Files.isRegularFile(gguf)) {
            throw new TokenizerFormatException(gguf, "is no file; llama.cpp's tokenizer needs a GGUF file, which 'yangtuo convert' makes of a directory");
        }
        return LlamaCppTokenizer.load(library, gguf).tokenizer();
    }

    /**
     * Yangtuo's tokenizer of any model where it knows the kind, else llama.cpp's if that is on the machine.
     *
     * @param path a file or a directory
     * @param libraryPath where llama.cpp's library is; null for the usual places
     * @throws TokenizerFormatException if it is damaged, or of a kind that neither knows or only llama.cpp, which is not there
     */
    public static Tokenizer known(Path path, @Nullable Path libraryPath) {
        if (TokenizerFiles.knows(path)) {
            return TokenizerFiles.load(path);
        }
        LlamaCppLibrary library;
        try {
            library = LlamaCppLibrary.load(libraryPath);
        } catch (NativeLibraryException e) {
            throw withoutLibrary(path, e);
        }
        return own(library, path);
    }

    /** What Yangtuo says of the tokenizer, and that llama.cpp, which may know it, is not to be had. */
    private static TokenizerFormatException withoutLibrary(Path path, NativeLibraryException missing) {
        try {
            TokenizerFiles.model(path);
        } catch (TokenizerFormatException e) {
            String problem = String.valueOf(e.getMessage());
            String prefix = path + ": ";
            return new TokenizerFormatException(path, "%s. llama.cpp may know it, but: %s".formatted(
                    problem.startsWith(prefix) ? problem.substring(prefix.length()) : problem, missing.getMessage()), e);
        }
        throw new IllegalStateException(path + " is read, which it was not just now");
    }
}
