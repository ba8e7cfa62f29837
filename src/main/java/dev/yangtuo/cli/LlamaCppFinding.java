package dev.yangtuo.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.yangtuo.exception.NativeLibraryException;
import dev.yangtuo.llamacpp.Device;
import dev.yangtuo.llamacpp.LlamaCppLibrary;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * What {@code doctor} says of llama.cpp.
 *
 * @param library null if there is none, or it cannot be used
 * @param problem why it cannot be used; null if it can, or if there is none and nobody has named one
 */
record LlamaCppFinding(@Nullable LlamaCppLibrary library, @Nullable String problem) {
    /** One line of the text. */
    record Line(String name, String value) {}

    /** Looks where this path, or else the environment, says that it is. */
    static LlamaCppFinding look(@Nullable Path named) {
        try {
            boolean expected = LlamaCppLibrary.isNamed(named) || LlamaCppLibrary.find(named).isPresent();
            return new LlamaCppFinding(expected ? LlamaCppLibrary.load(named) : null, null);
        } catch (NativeLibraryException e) {
            return new LlamaCppFinding(null, e.getMessage());
        }
    }

    List<Line> lines() {
        if (library == null) {
            return List.of(new Line("llama.cpp", problem == null ? "not found; it is an engine of choice, docs/llama-cpp.md says how to get it" : problem));
        }
        List<Line> lines = new ArrayList<>();
        lines.add(new Line("llama.cpp", "%s, version %s".formatted(library.path(), library.version())));
        library.devices().forEach(device -> lines.add(new Line("device", text(device))));
        library.problems().forEach(problem -> lines.add(new Line("no device", problem)));
        return lines;
    }

    private static String text(Device device) {
        // Of the processor's memory llama.cpp does not say how much is free; doctor has it above.
        String memory = device.totalBytes() == 0 ? "" : String.format(Locale.ROOT, ", %.1f GB", device.totalBytes() / 1e9);
        String free = device.freeBytes() == device.totalBytes() ? "" : String.format(Locale.ROOT, ", %.1f GB of it free", device.freeBytes() / 1e9);
        return "%s: %s (%s%s%s)".formatted(device.name(), device.description(), kind(device), memory, free);
    }

    private static String kind(Device device) {
        return switch (device.kind()) {
            case CPU -> "processor";
            case GPU -> "GPU";
            case IGPU -> "GPU in the processor's memory";
            case ACCEL -> "helps the processor";
        };
    }

    ObjectNode json() {
        ObjectNode object = JsonResult.object()
                .put("library", library == null ? null : library.path().toString())
                .put("version", library == null ? null : library.version());
        ArrayNode devices = object.putArray("devices");
        ArrayNode problems = object.putArray("device_problems");
        if (library != null) {
            for (Device device : library.devices()) {
                devices.addObject()
                        .put("name", device.name())
                        .put("description", device.description())
                        .put("kind", device.kind().name().toLowerCase(Locale.ROOT))
                        .put("backend", device.backend())
                        .put("free_bytes", device.freeBytes())
                        .put("total_bytes", device.totalBytes());
            }
            library.problems().forEach(problems::add);
        }
        return object.put("problem", problem);
    }
}
