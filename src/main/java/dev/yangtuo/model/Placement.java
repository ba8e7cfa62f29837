package dev.yangtuo.model;

import dev.yangtuo.kernel.Backend;
import java.util.List;
import java.util.stream.Collectors;

/**
 * Which backend computes which layers. The embedding is with the first layer, the last norm and the output matrix with the last one. Owns the backends.
 *
 * @param division that it follows
 * @param parts of the division with their backends, in the order of the layers; each has a backend of its own
 */
record Placement(LayerDivision division, List<Part> parts) implements AutoCloseable {
    /**
     * Layers on one backend.
     *
     * @param first layer
     * @param end behind the last one
     */
    record Part(Backend backend, int first, int end) {
        int layers() {
            return end - first;
        }
    }

    Placement {
        parts = List.copyOf(parts);
    }

    /** All layers on the processor. */
    static Placement processor(Backend backend, ModelBytes bytes) {
        return new Placement(LayerDivision.processor(bytes), List.of(new Part(backend, 0, bytes.layers().length)));
    }

    Backend first() {
        return parts.getFirst().backend();
    }

    Backend last() {
        return parts.getLast().backend();
    }

    boolean uses(Backend backend) {
        return parts.stream().anyMatch(part -> part.backend() == backend);
    }

    Part partOf(int layer) {
        return parts.stream().filter(part -> layer < part.end()).findFirst().orElseThrow();
    }

    /** For people. */
    String name() {
        if (parts.size() == 1) {
            return first().name();
        }
        return parts.stream()
                .map(part -> "%s (layers %d to %d)".formatted(part.backend().name(), part.first(), part.end() - 1))
                .collect(Collectors.joining(", "));
    }

    @Override
    public void close() {
        try (var all = new CloseStack()) {
            parts.forEach(part -> all.push(part.backend()));
        }
    }
}
