package dev.yangtuo.llamacpp;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

/** llama.cpp's shared library, for tests that need it: they are skipped where it is not. */
public final class SharedLibrary {
    private SharedLibrary() {}

    /** Loads it, or skips the test. */
    public static LlamaCppLibrary assumed() {
        assumeTrue(LlamaCppLibrary.isNamed(null), "YANGTUO_LLAMA_CPP_PATH or -Dyangtuo.llama.cpp.path names llama.cpp's shared library");
        return LlamaCppLibrary.load(null);
    }
}
