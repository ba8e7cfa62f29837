package dev.yangtuo.model;

import java.util.Set;

/**
 * How far back attention looks.
 *
 * @param positions the last so many of them, a token's own included; 0 for all
 * @param fullLayers layers that look at all positions nevertheless
 */
public record SlidingWindow(int positions, Set<Integer> fullLayers) {
    /** Every layer looks at all positions. */
    public static final SlidingWindow NONE = new SlidingWindow(0, Set.of());

    /** Checks the size. */
    public SlidingWindow {
        RopeScaling.require(positions >= 0, "sliding_window is %d, must be at least 1, or 0 for none".formatted(positions));
        fullLayers = Set.copyOf(fullLayers);
    }

    /** A window of so many positions in every layer. */
    public static SlidingWindow of(int positions) {
        return new SlidingWindow(positions, Set.of());
    }

    /** Positions that a layer looks back at, a token's own included; 0 for all. */
    int ofLayer(int layer) {
        return fullLayers.contains(layer) ? 0 : positions;
    }
}
