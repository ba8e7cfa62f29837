package dev.yangtuo;

import dev.yangtuo.model.LoadPlan;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * What memory a model would take, outside the Java heap; see {@link Llama#plan}. Weights that a {@linkplain LoadOptions#cache cache} brings count as well: they are
 * mapped, and shared by all programs that use them.
 *
 * @param model the base model
 * @param weightBytes of the weights, as they are kept
 * @param kvBytes of keys and values, if texts use it all; memory is taken only as they do
 * @param bufferBytes of what forward passes compute in
 * @param contextLength tokens that a text can have
 * @param kvTokens tokens of all texts together whose keys and values there is room for
 * @param machineBytes memory of the machine, or of the container that the program runs in
 * @param devices what of all that lies in memory of devices ({@link LoadOptions#device}); empty without any
 */
public record MemoryPlan(Path model, long weightBytes, long kvBytes, long bufferBytes, int contextLength, long kvTokens, long machineBytes, List<DeviceMemory> devices) {
    /** Takes a copy. */
    public MemoryPlan {
        devices = List.copyOf(devices);
    }

    static MemoryPlan of(LoadPlan plan) {
        return new MemoryPlan(plan.path(), plan.weightBytes(), plan.kvBytes(), plan.bufferBytes(), plan.contextLength(), plan.kvTokens(), plan.machineBytes(), plan.devices());
    }

    /** All of it, in bytes. */
    public long totalBytes() {
        return weightBytes + kvBytes + bufferBytes;
    }

    /** Whether the machine and its devices have as much, whatever else runs on the machine. */
    public boolean fits() {
        long onDevices = devices.stream().mapToLong(DeviceMemory::bytes).sum();
        return totalBytes() - onDevices <= machineBytes && devices.stream().allMatch(device -> device.bytes() <= device.freeBytes());
    }

    /** One line for a person. */
    public String describe() {
        String all = String.format(
                Locale.ROOT, "%s: %.1f MB of %.1f MB: weights %.1f MB, keys and values of %d tokens %.1f MB (a text can have %d), buffers %.1f MB",
                model, totalBytes() / 1e6, machineBytes / 1e6, weightBytes / 1e6, kvTokens, kvBytes / 1e6, contextLength, bufferBytes / 1e6);
        return all + devices.stream().map(device -> "; " + device.describe()).collect(Collectors.joining());
    }
}
