package dev.yangtuo.model;

import dev.yangtuo.exception.YangtuoException;
import java.nio.file.Path;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * What takes the place of what a model says about RoPE.
 *
 * @param scaling null: the model's
 * @param factor of the scaling; null: the model's
 * @param theta base of the frequencies; null: the model's
 */
public record RopeOverride(@Nullable Kind scaling, @Nullable Float factor, @Nullable Float theta) {
    /** Everything as the model says. */
    public static final RopeOverride NONE = new RopeOverride(null, null, null);

    /** The scalings that can be chosen. */
    public enum Kind {
        /** No scaling. */
        NONE,
        /** {@link RopeScaling.Linear}. */
        LINEAR,
        /** {@link RopeScaling.Ntk}. */
        NTK,
        /** {@link RopeScaling.Dynamic}. */
        DYNAMIC,
        /** {@link RopeScaling.Yarn}. */
        YARN,
        /** {@link RopeScaling.Llama3}. */
        LLAMA3
    }

    /** Checks the numbers. */
    public RopeOverride {
        if (factor != null) {
            RopeScaling.requirePositive("the RoPE factor", factor);
        }
        if (theta != null) {
            RopeScaling.requirePositive("the RoPE base", theta);
        }
    }

    /**
     * The model's hyper-parameters with this in their place.
     *
     * @param model for messages
     * @throws YangtuoException if it does not fit the model, or what is given is not enough
     */
    ModelConfig applyTo(ModelConfig config, Path model) {
        if (equals(NONE)) {
            return config;
        }
        RopeConfig rope = config.rope();
        try {
            return config.withRope(new RopeConfig(theta == null ? rope.theta() : theta, scalingOf(config)));
        } catch (IllegalArgumentException e) {
            throw new YangtuoException("%s: %s".formatted(model, e.getMessage()), e);
        }
    }

    private RopeScaling scalingOf(ModelConfig config) {
        RopeScaling own = config.rope().scaling();
        if (scaling == Kind.NONE) {
            RopeScaling.require(factor == null, "no RoPE scaling has no factor; leave the factor out, or choose another scaling");
            return RopeScaling.NONE;
        }
        if (scaling == null && factor == null) {
            return own;
        }
        if (own instanceof RopeScaling.ByFactor scaled && (scaling == null || scaling.name().equalsIgnoreCase(own.name()))) {
            return factor == null ? scaled : scaled.withFactor(factor);
        }
        RopeScaling.require(
                scaling != null, "a RoPE factor was given, but the model's scaling (%s) has none; choose a scaling".formatted(own.name()));
        RopeScaling.require(factor != null, "the RoPE scaling %s needs a factor, and the model has none for it"
                .formatted(String.valueOf(scaling).toLowerCase(Locale.ROOT)));
        return made(scaling, factor, own instanceof RopeScaling.FromContext scaled ? scaled.originalContext() : config.contextLength());
    }

    private static RopeScaling made(Kind scaling, float factor, int originalContext) {
        return switch (scaling) {
            case NONE -> RopeScaling.NONE;
            case LINEAR -> new RopeScaling.Linear(factor);
            case NTK -> new RopeScaling.Ntk(factor);
            case DYNAMIC -> new RopeScaling.Dynamic(factor, originalContext);
            case YARN -> RopeScaling.Yarn.of(factor, originalContext);
            case LLAMA3 -> new RopeScaling.Llama3(factor, RopeScaling.Llama3.LOW_FACTOR, RopeScaling.Llama3.HIGH_FACTOR, originalContext);
        };
    }
}
