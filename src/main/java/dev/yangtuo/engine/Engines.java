package dev.yangtuo.engine;

import dev.yangtuo.Engine;
import dev.yangtuo.LlamaCppOptions;
import dev.yangtuo.LoadOptions;
import dev.yangtuo.exception.NativeLibraryException;
import dev.yangtuo.exception.TokenizerFormatException;
import dev.yangtuo.exception.UnsupportedModelException;
import dev.yangtuo.exception.YangtuoException;
import dev.yangtuo.llamacpp.LlamaCppLibrary;
import dev.yangtuo.llamacpp.LlamaCppLoader;
import dev.yangtuo.model.GgufCosts;
import dev.yangtuo.model.LoadPlan;
import dev.yangtuo.model.LoadedModel;
import dev.yangtuo.model.ModelCosts;
import dev.yangtuo.model.ModelLoader;
import dev.yangtuo.model.TokenizerFiles;
import dev.yangtuo.tensor.TensorType;
import java.lang.System.Logger.Level;
import java.lang.System.Logger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** Loads a model with the engine that the options name, or that can run it. */
public final class Engines {
    private static final Logger LOGGER = System.getLogger(Engines.class.getName());

    /** llama.cpp's name of the processor among its devices. */
    private static final String PROCESSOR = "CPU";

    private Engines() {}

    /**
     * Loads a model and its adapters. With {@link Engine#AUTO} our own engine does, unless devices or layers on them are asked for in llama.cpp's options, or it says
     * that the model is of a kind that it cannot run: then llama.cpp.
     *
     * @throws YangtuoException as {@link dev.yangtuo.Llama#load(Path, LoadOptions)} says
     */
    public static LoadedModel load(Path path, LoadOptions options) {
        return switch (options.engine()) {
            case YANGTUO -> ModelLoader.load(path, options.settings());
            case LLAMA_CPP -> LlamaCppLoader.load(path, options.settings(), llamaCpp(options));
            case AUTO -> wantsDevice(options) ? loadOnItsDevice(path, options) : loadWithEither(path, options);
        };
    }

    /**
     * Says what memory a model would take with the engine that would load it, without its library. Reads headers only.
     *
     * @throws YangtuoException as {@link dev.yangtuo.Llama#plan(Path, LoadOptions)} says
     */
    public static LoadPlan plan(Path path, LoadOptions options) {
        boolean isLlamaCpp = options.engine() == Engine.LLAMA_CPP || options.engine() == Engine.AUTO && wantsDevice(options);
        if (isLlamaCpp && Files.isRegularFile(path) && options.settings().lora().adapters().isEmpty()) {
            return LlamaCppLoader.plan(path, options.settings(), llamaCpp(options));
        }
        try {
            return ModelLoader.plan(path, options.settings());
        } catch (UnsupportedModelException | TokenizerFormatException e) {
            if (options.engine() == Engine.YANGTUO || !isForLlamaCpp(path, e)) {
                throw e;
            }
            return LlamaCppLoader.plan(path, options.settings(), llamaCpp(options));
        }
    }

    /**
     * Bytes of keys and values of one position, as the headers of the model's files say.
     *
     * @param type of keys and values
     */
    public static long keyValueBytes(Path path, TensorType type) {
        try {
            return ModelCosts.keyValueBytes(ModelLoader.check(path).config(), type);
        } catch (UnsupportedModelException | TokenizerFormatException e) {
            if (!isForLlamaCpp(path, e)) {
                throw e;
            }
            return GgufCosts.of(path, type).costs().keyValueBytes();
        }
    }

    /** Whether a device is asked for in llama.cpp's words. */
    private static boolean wantsDevice(LoadOptions options) {
        LlamaCppOptions llamaCpp = options.llamaCpp();
        return options.devices().isEmpty()
                && (!llamaCpp.devices().stream().allMatch(PROCESSOR::equalsIgnoreCase) || llamaCpp.gpuLayers().orElse(0) > 0);
    }

    /** llama.cpp's options, with the devices of our own engine in its words where it has none of its own. */
    private static LlamaCppOptions llamaCpp(LoadOptions options) {
        LlamaCppOptions llamaCpp = options.llamaCpp();
        if (llamaCpp.devices().isEmpty()) {
            llamaCpp = llamaCpp.devices(options.devices().stream().map(Engines::llamaCppDevice).flatMap(Optional::stream).toList());
        }
        return llamaCpp.gpuLayers().isEmpty() && options.gpuLayers().isPresent() ? llamaCpp.gpuLayers(options.gpuLayers().getAsInt()) : llamaCpp;
    }

    private static Optional<String> llamaCppDevice(String name) {
        return switch (name.strip().toLowerCase(Locale.ROOT)) {
            case "auto" -> Optional.empty();
            case "cuda" -> Optional.of("CUDA0");
            default -> Optional.of(name.strip().toUpperCase(Locale.ROOT).replace(":", ""));
        };
    }

    /** Whether llama.cpp may run a model that our engine refuses for this reason: a file that is whole, of a kind that ours does not know. */
    private static boolean isForLlamaCpp(Path path, YangtuoException reason) {
        return Files.isRegularFile(path) && (reason instanceof UnsupportedModelException || !TokenizerFiles.knows(path));
    }

    /** Who has misspelt one of our own devices, or left it out, is told why llama.cpp is wanted. */
    private static LoadedModel loadOnItsDevice(Path path, LoadOptions options) {
        try {
            return LlamaCppLoader.load(path, options.settings(), llamaCpp(options));
        } catch (NativeLibraryException e) {
            List<String> devices = options.llamaCpp().devices();
            String asked = devices.isEmpty() ? "layers on GPUs without a device" : "the device '%s'".formatted(String.join(",", devices));
            throw new NativeLibraryException("%s can only be llama.cpp's: those of Yangtuo's own engine are cpu, auto, cuda, and cuda:0, cuda:1 and so on. %s"
                    .formatted(asked, e.getMessage()), e);
        }
    }

    private static LoadedModel loadWithEither(Path path, LoadOptions options) {
        try {
            return ModelLoader.load(path, options.settings());
        } catch (UnsupportedModelException | TokenizerFormatException e) {
            if (!isForLlamaCpp(path, e)) {
                throw e;
            }
            LOGGER.log(Level.DEBUG, "llama.cpp is tried: {0}", e.getMessage());
            return loadWithLlamaCpp(path, options, e);
        }
    }

    /** @param reason why our own engine cannot */
    private static LoadedModel loadWithLlamaCpp(Path path, LoadOptions options, YangtuoException reason) {
        try {
            return LlamaCppLoader.load(path, options.settings(), llamaCpp(options));
        } catch (NativeLibraryException e) {
            String problem = String.valueOf(reason.getMessage());
            String prefix = path + ": ";
            boolean isMissing = LlamaCppLibrary.find(options.llamaCpp().library().orElse(null)).isEmpty();
            throw new UnsupportedModelException(path, "%s. %s".formatted(
                    problem.startsWith(prefix) ? problem.substring(prefix.length()) : problem,
                    isMissing ? "llama.cpp, which may run it, is not on this machine; docs/llama-cpp.md says how to get it" : e.getMessage()), reason);
        } catch (YangtuoException e) {
            e.addSuppressed(reason);
            throw e;
        }
    }
}
