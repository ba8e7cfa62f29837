package dev.yangtuo.sampling;

import org.jspecify.annotations.Nullable;

/**
 * A token, by its id or by its text; which one a text is depends on the vocabulary.
 *
 * @param id -1 where there is a text
 * @param text of one token; null where there is an id
 */
public record TokenName(int id, @Nullable String text) {
    /** Checks that there is one of both. */
    public TokenName {
        if (text == null) {
            Ranges.require(id >= 0, "a token's id", id, "0 or more");
        } else {
            Ranges.require(!text.isEmpty(), "a token's text", "empty", "of one token");
        }
    }

    /** By its id, 0 or more. */
    public static TokenName of(int id) {
        return new TokenName(id, null);
    }

    /** By its text, not empty. */
    public static TokenName of(String text) {
        return new TokenName(-1, text);
    }
}
