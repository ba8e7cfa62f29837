package dev.yangtuo.benchmarks.compare;

import dev.yangtuo.bench.BenchTest;
import dev.yangtuo.bench.BenchTest.Kind;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Reads the names that {@link BenchTest#name()} gives. */
final class TestNames {
    private static final Pattern NAME = Pattern.compile("(pp|tg)([0-9]{1,7})(?:@d([0-9]{1,7}))?(?: ?x([0-9]{1,3}))?");

    private TestNames() {}

    /**
     * {@return the tests}
     *
     * @param names separated by commas: {@code pp512,tg128@d3500,tg128x8}
     * @throws IllegalArgumentException if one is none
     */
    static List<BenchTest> parse(String names) {
        return Arrays.stream(names.split(",", -1)).map(String::strip).map(TestNames::one).distinct().toList();
    }

    private static BenchTest one(String name) {
        Matcher matcher = NAME.matcher(name);
        if (!matcher.matches()) {
            throw new IllegalArgumentException("'%s' is not a test; expected pp512, tg128, pp512@d3500, tg128x8 or the like".formatted(name));
        }
        try {
            return new BenchTest(
                    matcher.group(1).equals("pp") ? Kind.PROMPT : Kind.GENERATION,
                    Integer.parseInt(matcher.group(2)),
                    number(matcher.group(3), 0),
                    number(matcher.group(4), 1));
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("test '%s': %s".formatted(name, e.getMessage()), e);
        }
    }

    private static int number(@Nullable String digits, int otherwise) {
        return digits == null ? otherwise : Integer.parseInt(digits);
    }
}
