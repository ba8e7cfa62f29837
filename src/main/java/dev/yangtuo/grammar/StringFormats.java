package dev.yangtuo.grammar;

import java.util.Map;

/**
 * The values of {@code format} that are understood: RFC 3339 for dates, times and durations, without leap seconds; RFC 9562 for UUIDs. Of mail addresses and URIs the usual
 * ones, in ASCII, with a name as host.
 */
final class StringFormats {
    /** Without 0000, which not all libraries have. */
    private static final String YEAR = "(?:[1-9][0-9]{3}|0[1-9][0-9]{2}|00[1-9][0-9]|000[1-9])";
    /** Divisible by 4 and, where they end in 00, by 400. */
    private static final String LEAP_YEAR = "(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:0[48]|[2468][048]|[13579][26])00)";
    private static final String MONTH_AND_DAY = "(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|1[0-9]|2[0-8]))";
    private static final String DATE = "(?:%s-%s|%s-02-29)".formatted(YEAR, MONTH_AND_DAY, LEAP_YEAR);
    /** -00:00 is left out: RFC 3339 has it for an unknown zone, ISO 8601 and validators that follow it do not. */
    private static final String ZONE = "(?:Z|\\+(?:0[0-9]|1[0-7]):[0-5][0-9]|-(?:0[1-9]|1[0-7]):[0-5][0-9]|-00:(?:0[1-9]|[1-5][0-9]))";
    private static final String TIME = "(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\\.[0-9]{1,9})?" + ZONE;

    private static final String LABEL = "[a-z0-9](?:[a-z0-9-]{0,20}[a-z0-9])?";
    private static final String HOST = "(?:%s\\.){1,4}[a-z]{2,10}".formatted(LABEL);
    private static final String WORD = "[A-Za-z0-9_+-]{1,20}";
    private static final String TIME_SPAN = "T(?:[0-9]{1,6}H(?:[0-9]{1,6}M(?:[0-9]{1,6}S)?)?|[0-9]{1,6}M(?:[0-9]{1,6}S)?|[0-9]{1,6}S)";
    private static final String DATE_SPAN = "(?:[0-9]{1,6}Y(?:[0-9]{1,6}M(?:[0-9]{1,6}D)?)?|[0-9]{1,6}M(?:[0-9]{1,6}D)?|[0-9]{1,6}D)";

    private static final Map<String, String> PATTERNS = Map.of(
            "email", "%s(?:\\.%s){0,2}@%s".formatted(WORD, WORD, HOST),
            "uri", "https?://%s(?::[1-9][0-9]{0,3})?(?:/[A-Za-z0-9._~-]{0,50}){0,20}".formatted(HOST)
                    + "(?:\\?[A-Za-z0-9._~=&-]{0,200})?(?:#[A-Za-z0-9._~-]{0,50})?",
            "duration", "P(?:%s(?:%s)?|%s|[0-9]{1,6}W)".formatted(DATE_SPAN, TIME_SPAN, TIME_SPAN),
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
            throw part.error("format", "'%s' is not supported; these are: date, time, date-time, duration, uuid, email, uri; or write a pattern".formatted(name));
        }
        return RegexParser.parseWhole("the format", pattern);
    }
}
