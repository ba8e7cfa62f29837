package dev.yangtuo.llamacpp;

import java.lang.foreign.MemorySegment;

/**
 * A processor or a GPU that llama.cpp can compute on.
 *
 * @param name the name that options take, such as {@code CPU}, {@code CUDA0}, {@code Vulkan1}
 * @param description what its maker calls it
 * @param backend the part of llama.cpp that computes on it, such as {@code CPU}, {@code CUDA}
 * @param freeBytes free memory when the library was asked, in bytes; 0 if it does not say
 * @param totalBytes its memory in bytes; 0 if it does not say
 * @param handle {@code ggml_backend_dev_t}; valid as long as the process lives
 */
public record Device(String name, String description, Kind kind, String backend, long freeBytes, long totalBytes, MemorySegment handle) {
    /** What sort of device it is. */
    public enum Kind {
        /** The processor. */
        CPU,
        /** A GPU with memory of its own. */
        GPU,
        /** A GPU that uses the processor's memory. */
        IGPU,
        /** Helps the processor with some operations, such as a BLAS library; models are not put on it. */
        ACCEL
    }
}
