package dev.yangtuo.cli;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.yangtuo.tokenizer.Utf8;
import java.io.IOException;

/** One JSON value a line, nothing after it. Bytes that are not UTF-8 count as they do in plain lines: U+FFFD each. */
final class JsonLines {
    private final ObjectMapper mapper = JsonMapper.builder(JsonFactory.builder()
                    // A line is in memory already; a text in it may be as long.
                    .streamReadConstraints(StreamReadConstraints.builder().maxStringLength(Integer.MAX_VALUE).build())
                    .build())
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    /** @throws com.fasterxml.jackson.core.JacksonException if the line is not one JSON value */
    JsonNode read(byte[] line) throws IOException {
        return read(Utf8.decode(line));
    }

    /** @throws com.fasterxml.jackson.core.JacksonException if the line is not one JSON value */
    JsonNode read(String line) throws IOException {
        return mapper.readTree(line);
    }

    String write(Object value) throws IOException {
        return mapper.writeValueAsString(value);
    }
}
