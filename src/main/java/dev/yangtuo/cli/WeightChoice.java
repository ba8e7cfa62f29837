package dev.yangtuo.cli;

import dev.yangtuo.LoadOptions;
import dev.yangtuo.WeightType;
import java.util.Locale;

/**
 * What weights are to be kept as, as it is written on the command line: {@code q4_0}, or {@code q4_0:pure} for every matrix as the one type.
 *
 * @param type the mix
 * @param pure every matrix is of the type that gives the mix its name
 */
record WeightChoice(WeightType type, boolean pure) {
    private static final String PURE = ":pure";

    /** Reads it. */
    static WeightChoice of(String text) {
        boolean pure = text.endsWith(PURE);
        return new WeightChoice(WeightType.of(pure ? text.substring(0, text.length() - PURE.length()) : text), pure);
    }

    /** As it is written, {@code q4_0:pure}. */
    String name() {
        return type.name().toLowerCase(Locale.ROOT) + (pure ? PURE : "");
    }

    LoadOptions applyTo(LoadOptions options) {
        return pure ? options.quantizePure(type) : options.quantize(type);
    }
}
