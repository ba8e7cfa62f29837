package dev.yangtuo.model;

import dev.yangtuo.kernel.Backend;
import dev.yangtuo.lora.LoraStack;
import dev.yangtuo.tensor.TensorType;
import java.nio.file.Path;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * How a model is to be loaded.
 *
 * @param lora the adapters
 * @param types how to keep the matrices; null: each as the file stores it
 * @param kvType one of {@link dev.yangtuo.kernel.KvShape#TYPES}
 * @param backend opens the device; called once the files are known to fit each other
 * @param threads threads that convert weights
 * @param context positions that a sequence can have; 0: the model's own
 * @param maxSequences sequences of one forward pass at most; 0: as many as are useful
 * @param kvMemory bytes for keys and values at most; 0: as much as {@code maxSequences} whole contexts need, or a few without that
 * @param listener is told of each parameter
 * @param cache folder of packed weights; null: none
 * @param rope what takes the place of what the model says about RoPE
 * @param devices that compute beside the backend, or in its place
 */
public record LoadSettings(
        LoraStack lora,
        @Nullable TypeMix types,
        TensorType kvType,
        Supplier<Backend> backend,
        int threads,
        int context,
        int maxSequences,
        long kvMemory,
        Listener listener,
        @Nullable Path cache,
        RopeOverride rope,
        DeviceChoice devices) {
    /** Without a cache and a limit of its own for keys and values, with the model's own RoPE, on the backend alone. */
    public LoadSettings(
            LoraStack lora, @Nullable TypeMix types, TensorType kvType, Supplier<Backend> backend, int threads, int context, int maxSequences, Listener listener) {
        this(lora, types, kvType, backend, threads, context, maxSequences, 0, listener, null, RopeOverride.NONE, DeviceChoice.PROCESSOR);
    }

    /** The same without devices. */
    LoadSettings onProcessor() {
        return new LoadSettings(lora, types, kvType, backend, threads, context, maxSequences, kvMemory, listener, cache, rope, DeviceChoice.PROCESSOR);
    }

    /** Follows the loading; called by the loading thread. */
    public interface Listener {
        /**
         * Something was finished: rows of a parameter, or all of it.
         *
         * @param name the parameter
         * @param done parameters finished
         * @param count parameters of the model
         * @param bytesDone bytes of finished rows, as they are kept
         * @param byteCount bytes of all parameters
         */
        void progressed(String name, int done, int count, long bytesDone, long byteCount);
    }
}
