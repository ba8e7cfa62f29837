package dev.yangtuo.batch;

/**
 * What names a request in its record.
 *
 * @param text as messages and seeds have it
 * @param isNumber whether records write it as a number
 * @param isOwn whether the input gives it; else it is the number of the line
 */
record RecordId(String text, boolean isNumber, boolean isOwn) {
    /** Longer ones would be kept in memory for every request in flight. */
    static final int MAX_CHARACTERS = 1000;

    /** The id of a line that has none. */
    static RecordId ofLine(long number) {
        return new RecordId(Long.toString(number), true, false);
    }

    /** An id that the input gives. */
    static RecordId of(String text) throws RequestProblem {
        if (text.length() > MAX_CHARACTERS) {
            throw RequestProblem.invalid("the id has %d characters; at most %d are possible", text.length(), MAX_CHARACTERS);
        }
        if (text.codePoints().anyMatch(c -> c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE)) {
            throw RequestProblem.invalid("the id %s holds half a character, which cannot be written", RequestProblem.quoted(text));
        }
        return new RecordId(text, false, true);
    }
}
