package dev.yangtuo.cli;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Where llama.cpp's shared library is; the option of every command that may load it. */
final class EnginePathOption {
    @Option(names = "--engine-path", paramLabel = "PATH",
            description = {
                "llama.cpp's shared library, or the folder of it, of a build, or of an unpacked npm package; docs/llama-cpp.md has more.",
                "Default: what YANGTUO_LLAMA_CPP_PATH names, else the system's usual places."
            })
    private @Nullable Path path;

    /** What was given; null for the default. */
    @Nullable Path path() {
        return path;
    }
}
