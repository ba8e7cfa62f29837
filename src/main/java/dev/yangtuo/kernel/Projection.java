package dev.yangtuo.kernel;

import org.jspecify.annotations.Nullable;

/**
 * What a product multiplies with, and what it adds: {@code y = weight x + bias}.
 *
 * @param weight {@code [rows][columns]}
 * @param bias {@code [rows]}, in the order of the weight's rows; null if there is none
 */
public record Projection(WeightMatrix weight, @Nullable DeviceFloats bias) {
    /** Checks that the shapes fit each other. */
    public Projection {
        if (bias != null && bias.count() != weight.rows()) {
            throw new IllegalArgumentException("a bias of %d elements does not fit a matrix of %d rows".formatted(bias.count(), weight.rows()));
        }
    }

    /** A projection without a bias. */
    public static Projection of(WeightMatrix weight) {
        return new Projection(weight, null);
    }
}
