package dev.yangtuo.grammar;

import java.util.Map;

/** The values of {@code format} that are understood: RFC 3339 for dates and times, without leap seconds; RFC 9562 for UUIDs. */
final class StringFormats {
    private static final String YEAR = "[0-9]{4}";
    /** Divisible by 4 and, where they end in 00, by 400. */
    private static final String LEAP_YEAR = "(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)";
    private static final String MONTH_AND_DAY = "(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|1[0-9]|2[0-8]))";
    private static final String DATE = "(?:%s-%s|%s-02-29)".formatted(YEAR, MONTH_AND_DAY, LEAP_YEAR);
    private static final String TIME = "(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\\.[0-9]{1,9})?(?:Z|[+-](?:0[0-9]|1[0-7]):[0-5][0-9])";

    private static final Map<String, String> PATTERNS = Map.of(
            "date", DATE,
            "time", TIME,
            "date-time", DATE + "T" + TIME,
            "uuid", "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}");

    private StringFormats() {}

    /** What a schema's format says. */
    static Expression of(SchemaPart part) {
        String name = part.strings("format").getFirst();
        String pattern = PATTERNS.get(name);
        if (pattern == null) {
            throw part.error("format", "'%s' is not supported; these are: date, time, date-time, uuid; or write a pattern".formatted(name));
        }
        return RegexParser.parseWhole("the format", pattern);
    }
}
