package dev.yangtuo.cli;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A number of bytes as it is written on the command line: {@code 5GB}, {@code 500MB}, {@code 64kB}; powers of ten.
 *
 * @param bytes at least 1
 */
record ByteCount(long bytes) {
    private static final Pattern FORM = Pattern.compile("([0-9]{1,12})(|K|M|G|T)B?");

    /** Reads it. */
    static ByteCount of(String text) {
        Matcher matcher = FORM.matcher(text.strip().toUpperCase(Locale.ROOT));
        if (!matcher.matches()) {
            throw new IllegalArgumentException("'%s' is not a size; expected one like 5GB or 500MB".formatted(text));
        }
        long unit = switch (matcher.group(2)) {
            case "K" -> 1_000L;
            case "M" -> 1_000_000L;
            case "G" -> 1_000_000_000L;
            case "T" -> 1_000_000_000_000L;
            default -> 1L;
        };
        // Beyond the range of a long there is no difference any more.
        long count = Long.parseLong(matcher.group(1));
        if (count == 0) {
            throw new IllegalArgumentException("'%s' is not a size; expected at least one byte".formatted(text));
        }
        return new ByteCount(count > Long.MAX_VALUE / unit ? Long.MAX_VALUE : count * unit);
    }
}
