package dev.yangtuo;

import java.util.Locale;

/**
 * What memory a model would take of a device beside the processor; see {@link MemoryPlan#devices}.
 *
 * @param device as {@link LoadOptions#device} names it: {@code cuda:0}
 * @param name its maker's
 * @param layers of the model that would lie there
 * @param bytes of weights, keys and values, and buffers
 * @param freeBytes of its memory, now
 */
public record DeviceMemory(String device, String name, int layers, long bytes, long freeBytes) {
    /** A few words for a person. */
    public String describe() {
        return String.format(Locale.ROOT, "%s (%s): %d layers, %.1f MB of %.1f MB free", device, name, layers, bytes / 1e6, freeBytes / 1e6);
    }
}
