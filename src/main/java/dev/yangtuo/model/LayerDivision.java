package dev.yangtuo.model;

import dev.yangtuo.DeviceMemory;
import dev.yangtuo.kernel.Device;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Which layers of a model lie where, and what memory that takes: the first ones on the processor, the last ones on devices, or all of them on one of these.
 *
 * @param parts in the order of the layers, which they cover without a gap
 */
record LayerDivision(ModelBytes bytes, List<Part> parts) {
    /** Unless something else is asked for, keys and values may take this share of the machine's memory. */
    static final int MEMORY_SHARE = 4;
    /** Of a device's free memory this share is left for what its kernels and its driver need. */
    private static final int DEVICE_SHARE = 16;

    /**
     * Layers that lie together.
     *
     * @param device null: the processor
     * @param first layer
     * @param end behind the last one
     */
    record Part(@Nullable Device device, int first, int end) {
        int layers() {
            return end - first;
        }
    }

    LayerDivision {
        parts = List.copyOf(parts);
    }

    static LayerDivision processor(ModelBytes bytes) {
        return new LayerDivision(bytes, List.of(new Part(null, 0, bytes.layers().length)));
    }

    /**
     * The last layers on devices, in proportion to their free memory.
     *
     * @param count of layers, 1 or more
     */
    static LayerDivision of(ModelBytes bytes, List<Device> devices, int count) {
        int end = bytes.layers().length;
        int first = end - Math.min(count, end);
        List<Part> parts = new ArrayList<>();
        if (first > 0) {
            parts.add(new Part(null, 0, first));
        }
        double all = devices.stream().mapToDouble(Device::freeBytes).sum();
        double before = 0;
        for (int i = 0; i < devices.size(); i++) {
            before += devices.get(i).freeBytes();
            int begin = parts.isEmpty() ? 0 : parts.getLast().end();
            int partEnd = i == devices.size() - 1 ? end : Math.max(begin, first + (int) Math.round((end - first) * before / all));
            if (partEnd > begin) {
                parts.add(new Part(devices.get(i), begin, partEnd));
            }
        }
        return new LayerDivision(bytes, parts);
    }

    /** Whether a device beside the processor has a part. */
    boolean hasDevices() {
        return parts.stream().anyMatch(part -> part.device() != null);
    }

    /** Whether the processor has no part. */
    boolean isOnDevicesAlone() {
        return parts.stream().allMatch(part -> part.device() != null);
    }

    /** Whether a weight is kept twice: an embedding that is the output matrix as well, on the first and the last device. */
    boolean hasTwoEmbeddings() {
        return bytes.isTied() && parts.size() > 1;
    }

    long weights(Part part) {
        return bytes.weights(part.first(), part.end());
    }

    /** Weights on the processor. */
    long processorWeights() {
        return parts.stream().filter(part -> part.device() == null).mapToLong(this::weights).sum();
    }

    /** Bytes of a part with keys and values of so many positions. */
    long needed(Part part, long positions) {
        return needed(part, positions, bytes.buffers());
    }

    private long needed(Part part, long positions, long buffers) {
        return weights(part) + buffers + positions * bytes.positionBytes() * part.layers();
    }

    private static long usable(Device device) {
        return device.freeBytes() - device.freeBytes() / DEVICE_SHARE;
    }

    /** The first part whose device has too little memory for keys and values of so many positions; null if all have enough. */
    @Nullable Part tooLarge(long positions) {
        return parts.stream().filter(part -> part.device() != null && needed(part, positions) > usable(part.device())).findFirst().orElse(null);
    }

    /** Positions whose keys and values have room on every device. */
    long devicePositions() {
        return parts.stream()
                .filter(part -> part.device() != null)
                .mapToLong(part -> (usable(part.device()) - needed(part, 0)) / (bytes.positionBytes() * part.layers()))
                .min().orElse(Long.MAX_VALUE);
    }

    /**
     * Positions whose keys and values have room on every device, and in a share of the machine's memory.
     *
     * @param machineBytes memory of the machine
     */
    long positions(long machineBytes) {
        return parts.stream()
                .filter(part -> part.device() == null)
                .mapToLong(part -> machineBytes / MEMORY_SHARE / (bytes.positionBytes() * part.layers()))
                .reduce(devicePositions(), Math::min);
    }

    /**
     * What the devices will keep, with keys and values of so many positions.
     *
     * @param buffers bytes of each, now that it is known which layers lie where
     */
    List<DeviceMemory> memory(long positions, long buffers) {
        return parts.stream()
                .filter(part -> part.device() != null)
                .map(part -> new DeviceMemory(part.device().id(), part.device().name(), part.layers(), needed(part, positions, buffers), part.device().freeBytes()))
                .toList();
    }

    /** What a part that is too large needs, for people. */
    String shortage(Part part, long positions) {
        Device device = part.device();
        return String.format(Locale.ROOT, "%s (%s) has %.1f MB of memory free, of which %.1f MB can be used; %d of %d layers with keys and values of %d tokens need %.1f MB",
                device.id(), device.name(), device.freeBytes() / 1e6, usable(device) / 1e6, part.layers(), bytes.layers().length, positions,
                needed(part, positions) / 1e6);
    }
}
