package dev.yangtuo.llamacpp;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.List;

/** llama.cpp's shared library, for tests that need it: they are skipped where it is not. */
public final class SharedLibrary {
    private SharedLibrary() {}

    /** By which a process of its own finds the same library; the environment is inherited. */
    public static List<String> childOptions() {
        String named = System.getProperty("yangtuo.llama.cpp.path");
        return named == null ? List.of() : List.of("-Dyangtuo.llama.cpp.path=" + named);
    }

    /** Loads it, or skips the test. */
    public static LlamaCppLibrary assumed() {
        assumeTrue(LlamaCppLibrary.isNamed(null), "YANGTUO_LLAMA_CPP_PATH or -Dyangtuo.llama.cpp.path names llama.cpp's shared library");
        return LlamaCppLibrary.load(null);
    }
}
