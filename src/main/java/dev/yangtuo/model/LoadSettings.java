package dev.yangtuo.model;

import dev.yangtuo.kernel.Backend;
import dev.yangtuo.tensor.TensorType;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * How a model is to be loaded.
 *
 * @param adapters directories of adapters, in the order in which they are merged
 * @param weightType how to keep the matrices; null: each as the file stores it
 * @param kvType F16 or F32
 * @param backend opens the device; called once the files are known to fit each other
 * @param threads threads that convert weights
 * @param context positions that a sequence can have; 0: the model's own
 * @param maxSequences sequences that can be open together
 * @param listener is told of each parameter
 */
public record LoadSettings(
        List<Path> adapters,
        @Nullable TensorType weightType,
        TensorType kvType,
        Supplier<Backend> backend,
        int threads,
        int context,
        int maxSequences,
        Listener listener) {
    /** Copies the list. */
    public LoadSettings {
        adapters = List.copyOf(adapters);
    }

    /** Follows the loading. */
    public interface Listener {
        /** A parameter is finished, {@code done} of {@code count} are. */
        void parameterLoaded(String name, int done, int count);
    }
}
