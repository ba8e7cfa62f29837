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

/** Loads a model with the engine that the options name, or that can run it. */
public final class Engines {
    private static final Logger LOGGER = System.getLogger(Engines.class.getName());

    /** llama.cpp's name of the processor among its devices. */
    private static final String PROCESSOR = "CPU";

    private Engines() {}

    /**
     * Loads a model and its adapters. With {@link Engine#AUTO} our own engine does, unless another device than the processor or layers for GPUs are asked for, or it says
     * that the model is of a kind that it cannot run: then llama.cpp.
     *
     * @throws YangtuoException as {@link dev.yangtuo.Llama#load(Path, LoadOptions)} says
     */
    public static LoadedModel load(Path path, LoadOptions options) {
        return switch (options.engine()) {
            case YANGTUO -> ModelLoader.load(path, options.settings());
            case LLAMA_CPP -> LlamaCppLoader.load(path, options.settings(), options.llamaCpp());
            case AUTO -> wantsDevice(options.llamaCpp()) ? LlamaCppLoader.load(path, options.settings(), options.llamaCpp()) : loadWithEither(path, options);
        };
    }

    /**
     * Says what memory a model would take with the engine that would load it, without its library. Reads headers only.
     *
     * @throws YangtuoException as {@link dev.yangtuo.Llama#plan(Path, LoadOptions)} says
     */
    public static LoadPlan plan(Path path, LoadOptions options) {
        boolean isLlamaCpp = options.engine() == Engine.LLAMA_CPP || options.engine() == Engine.AUTO && wantsDevice(options.llamaCpp());
        if (isLlamaCpp && Files.isRegularFile(path) && options.settings().lora().adapters().isEmpty()) {
            return LlamaCppLoader.plan(path, options.settings(), options.llamaCpp());
        }
        try {
            return ModelLoader.plan(path, options.settings());
        } catch (UnsupportedModelException | TokenizerFormatException e) {
            if (options.engine() == Engine.YANGTUO || !isForLlamaCpp(path, e)) {
                throw e;
            }
            return LlamaCppLoader.plan(path, options.settings(), options.llamaCpp());
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

    /** Whether a device is asked for that our own engine does not compute on. */
    private static boolean wantsDevice(LlamaCppOptions options) {
        return !options.devices().stream().allMatch(PROCESSOR::equalsIgnoreCase) || options.gpuLayers().orElse(0) > 0;
    }

    /** Whether llama.cpp may run a model that our engine refuses for this reason: a file that is whole, of a kind that ours does not know. */
    private static boolean isForLlamaCpp(Path path, YangtuoException reason) {
        return Files.isRegularFile(path) && (reason instanceof UnsupportedModelException || !TokenizerFiles.knows(path));
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
            return LlamaCppLoader.load(path, options.settings(), options.llamaCpp());
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
