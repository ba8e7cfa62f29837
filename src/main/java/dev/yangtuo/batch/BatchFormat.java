package dev.yangtuo.batch;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** How requests and results are written down. */
public enum BatchFormat {
    /** One JSON object a line: {@code {"id":"a", "prompt":"..."}} or {@code {"id":"a", "messages":[...]}}, with options beside it. */
    JSON_LINES("json"),
    /** OpenAI's batch files: {@code custom_id}, {@code method}, {@code url} and {@code body} a line, and responses in the same form. */
    OPENAI("openai"),
    /** A CSV file (RFC 4180) whose first record names the columns. */
    CSV("csv"),
    /** A prompt a line. Results are not written in this form. */
    PLAIN("plain"),
    /** A Parquet file with a column of prompts. */
    PARQUET("parquet");

    /** Bytes of an input that are looked at to find out its format. */
    static final int SAMPLE_BYTES = 1 << 14;

    private final String word;

    BatchFormat(String word) {
        this.word = word;
    }

    /**
     * The format that the command line calls so: {@code json}, {@code openai}, {@code csv}, {@code plain} or {@code parquet}.
     *
     * @throws IllegalArgumentException if there is none
     */
    public static BatchFormat of(String name) {
        for (BatchFormat format : values()) {
            if (format.word.equals(name)) {
                return format;
            }
        }
        throw new IllegalArgumentException("'%s' is no format; expected one of %s"
                .formatted(name, Arrays.stream(values()).map(BatchFormat::toString).collect(Collectors.joining(", "))));
    }

    /** What the name of an output asks for: CSV if it ends in {@code .csv}, Parquet if it ends in {@code .parquet}; null for another name. */
    public static @Nullable BatchFormat ofOutputName(String name) {
        String lower = name.toLowerCase(Locale.ROOT);
        return lower.endsWith(".csv") ? CSV : lower.endsWith(".parquet") ? PARQUET : null;
    }

    /** As the command line calls it. */
    @Override
    public String toString() {
        return word;
    }

    /**
     * What an input seems to be: CSV and plain text by the end of its name, Parquet by its first bytes, else what its first line looks like.
     *
     * @param name of the file
     * @param sample its first bytes, {@link #SAMPLE_BYTES} if it has so many
     */
    static BatchFormat guess(String name, byte[] sample) {
        String lower = name.toLowerCase(Locale.ROOT);
        if (lower.endsWith(".csv")) {
            return CSV;
        }
        if (lower.endsWith(".txt")) {
            return PLAIN;
        }
        if (new String(sample, StandardCharsets.ISO_8859_1).startsWith("PAR1")) {
            return PARQUET;
        }
        boolean namedJson = lower.endsWith(".jsonl") || lower.endsWith(".ndjson") || lower.endsWith(".json");
        String text = new String(sample, StandardCharsets.UTF_8).replace("\uFEFF", "").stripLeading();
        if (!text.startsWith("{")) {
            return namedJson ? JSON_LINES : PLAIN;
        }
        return namesCustomId(text.lines().findFirst().orElse("")) ? OPENAI : JSON_LINES;
    }

    /** Whether an object, or what there is of it, has a field {@code custom_id}. */
    private static boolean namesCustomId(String json) {
        try (JsonParser parser = new JsonFactory().createParser(json)) {
            parser.nextToken();
            while (parser.nextToken() == JsonToken.FIELD_NAME) {
                if (parser.currentName().equals("custom_id")) {
                    return true;
                }
                parser.nextToken();
                parser.skipChildren();
            }
        } catch (IOException e) {
            // Cut off, or no JSON: the reader of the lines says so.
        }
        return false;
    }
}
