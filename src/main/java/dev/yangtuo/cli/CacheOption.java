package dev.yangtuo.cli;

import dev.yangtuo.LoadOptions;
import dev.yangtuo.exception.YangtuoException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The option of every command that loads weights. */
final class CacheOption {
    /** What picocli gives for the option without a folder; no folder can have this name. */
    private static final String DEFAULT = "";

    @Option(names = "--cache", paramLabel = "DIR", arity = "0..1", fallbackValue = DEFAULT,
            description = {
                "Keep the packed weights in DIR and map them at the next load, which then takes a fraction of a second.",
                "Default for DIR: the folder 'weights' in the cache folder. Write --cache=DIR."
            })
    private @Nullable String folder;

    LoadOptions applyTo(LoadOptions options) {
        if (folder == null) {
            return options;
        }
        return options.cache(folder.equals(DEFAULT) ? defaultFolder() : Path.of(folder));
    }

    private static Path defaultFolder() {
        return LoadOptions.defaultCache().orElseThrow(
                () -> new YangtuoException("there is no folder to keep the weights in; name one with --cache=DIR, or with YANGTUO_CACHE"));
    }
}
