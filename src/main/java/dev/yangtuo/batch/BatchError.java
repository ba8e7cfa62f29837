package dev.yangtuo.batch;

import java.util.Locale;

/** Why a request has no text. None of these ends a batch. */
public enum BatchError {
    /** The line is not one JSON object. */
    INVALID_JSON,
    /** The line is no record of a CSV file. */
    INVALID_CSV,
    /** A field is missing, is not known, or has a value that it cannot have. */
    INVALID_REQUEST,
    /** The line is longer than {@link BatchJob#lineLimit}. */
    LINE_TOO_LONG,
    /** An earlier line has the same id. */
    DUPLICATE_ID,
    /** The prompt does not fit the context of the model. */
    PROMPT_TOO_LONG,
    /** The text could not be generated. */
    FAILED;

    /** As summaries and records write it: {@code invalid_json}. */
    public String code() {
        return name().toLowerCase(Locale.ROOT);
    }
}
