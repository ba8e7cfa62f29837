package dev.yangtuo.cli;

import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * The value of {@code --lora}: {@code PATH} or {@code PATH:SCALE}.
 *
 * @param path as it was given
 * @param scale finite; 1 unless given
 */
record LoraArgument(Path path, double scale) {
    private static final Pattern NUMBER = Pattern.compile("[+-]?([0-9]+\\.?[0-9]*|\\.[0-9]+)([eE][+-]?[0-9]+)?");

    /** A path that exists, colon or not, is a path. */
    static LoraArgument of(String text) {
        int colon = text.lastIndexOf(':');
        Path whole = path(text);
        if (colon <= 0 || Files.exists(whole)) {
            return new LoraArgument(whole, 1);
        }
        String scale = text.substring(colon + 1);
        Path path = path(text.substring(0, colon));
        if (!NUMBER.matcher(scale).matches() || !Double.isFinite(Double.parseDouble(scale))) {
            if (Files.exists(path)) {
                throw new TypeConversionException("the scale '%s' in '%s' is not a finite number".formatted(scale, text));
            }
            return new LoraArgument(whole, 1);
        }
        return new LoraArgument(path, Double.parseDouble(scale));
    }

    private static Path path(String text) {
        try {
            return Path.of(text);
        } catch (InvalidPathException e) {
            throw new TypeConversionException("'%s' is no path".formatted(text));
        }
    }

    /** For picocli. */
    static final class Converter implements ITypeConverter<LoraArgument> {
        @Override
        public LoraArgument convert(String text) {
            return of(text);
        }
    }
}
