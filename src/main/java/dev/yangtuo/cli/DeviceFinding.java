package dev.yangtuo.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.yangtuo.exception.YangtuoException;
import dev.yangtuo.kernel.Device;
import dev.yangtuo.kernel.DeviceLibrary;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * What {@code doctor} says of the CUDA devices that our own engine computes on.
 *
 * @param library of their kernels; null if there is none, or it cannot be opened
 * @param versions of it and of the driver; null without a library
 * @param problem why no device is used; null if the driver has been asked for them
 */
record DeviceFinding(@Nullable Path library, DeviceLibrary.@Nullable Versions versions, List<Device> devices, @Nullable String problem) {
    /** Opens the library and asks the driver. */
    static DeviceFinding look() {
        Path library = null;
        DeviceLibrary.Versions versions = null;
        try {
            library = DeviceLibrary.open();
            versions = DeviceLibrary.versions();
            return new DeviceFinding(library, versions, DeviceLibrary.devices(), null);
        } catch (YangtuoException e) {
            return new DeviceFinding(library, versions, List.of(), e.getMessage());
        }
    }

    /** Values of lines, that of the library first. */
    List<String> lines() {
        List<String> lines = new ArrayList<>();
        String start = library == null ? "" : library.toString();
        if (versions != null) {
            start += ", made with CUDA %s, %s".formatted(versions.runtime(), versions.driver().isEmpty() ? "no driver" : "driver for CUDA " + versions.driver());
        }
        String none = problem != null ? problem : devices.isEmpty() ? "the driver has no devices" : "";
        lines.add(start + (start.isEmpty() || none.isEmpty() ? "" : ": ") + none);
        devices.forEach(device -> lines.add(text(device)));
        return lines;
    }

    private static String text(Device device) {
        return String.format(Locale.ROOT, "%s: %s (compute capability %s, %d multiprocessors, %.1f GB, %.1f GB of it free)%s", device.id(), device.name(), device.capability(),
                device.multiprocessors(), device.totalBytes() / 1e9, device.freeBytes() / 1e9, device.isUsable() ? "" : ", not used: " + device.problem());
    }

    ObjectNode json() {
        ObjectNode object = JsonResult.object()
                .put("library", library == null ? null : library.toString())
                .put("runtime", versions == null ? null : versions.runtime())
                .put("driver", versions == null || versions.driver().isEmpty() ? null : versions.driver());
        ArrayNode array = object.putArray("devices");
        for (Device device : devices) {
            array.addObject()
                    .put("name", device.id())
                    .put("description", device.name())
                    .put("compute_capability", device.capability())
                    .put("multiprocessors", device.multiprocessors())
                    .put("free_bytes", device.freeBytes())
                    .put("total_bytes", device.totalBytes())
                    .put("problem", device.isUsable() ? null : device.problem());
        }
        return object.put("problem", problem);
    }
}
