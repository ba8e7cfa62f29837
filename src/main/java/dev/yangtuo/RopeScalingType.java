package dev.yangtuo;

import dev.yangtuo.model.RopeOverride;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/** How RoPE reaches texts longer than those that a model was trained with. */
public enum RopeScalingType {
    /** Angles as trained. */
    NONE,
    /** Positions are divided by the factor. */
    LINEAR,
    /** NTK-aware: a larger base, the same for texts of any length. */
    NTK,
    /** Dynamic NTK: a base that grows with the text beyond the original context. */
    DYNAMIC,
    /** YaRN: low frequencies are divided by the factor, high ones kept. */
    YARN,
    /** That of Llama 3.1 and later. */
    LLAMA3;

    RopeOverride.Kind kind() {
        return RopeOverride.Kind.valueOf(name());
    }

    /**
     * The type of this name, in any case.
     *
     * @throws IllegalArgumentException if there is none
     */
    public static RopeScalingType of(String name) {
        for (RopeScalingType type : values()) {
            if (type.name().equalsIgnoreCase(name)) {
                return type;
            }
        }
        throw new IllegalArgumentException("'%s' is not a RoPE scaling; there are %s".formatted(
                name, Arrays.stream(values()).map(type -> type.name().toLowerCase(Locale.ROOT)).collect(Collectors.joining(", "))));
    }
}
