package dev.yangtuo.batch;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.yangtuo.GenerationResult;
import dev.yangtuo.TokenLogProbabilities;
import dev.yangtuo.TokenLogProbability;
import dev.yangtuo.tokenizer.Tokenizer;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/** {@code {"id", "text", "finish_reason", "prompt_tokens", "completion_tokens"}} or {@code {"id", "error"}}, one a line. */
final class JsonRecords implements RecordFormat {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private final Tokenizer tokenizer;

    /** @param tokenizer names the pieces of log-probabilities */
    JsonRecords(Tokenizer tokenizer) {
        this.tokenizer = tokenizer;
    }

    @Override
    public byte[] preamble() {
        return new byte[0];
    }

    @Override
    public byte[] record(Finished finished) {
        ObjectNode json = MAPPER.createObjectNode();
        json.set("id", id(finished.record().id()));
        switch (finished.result()) {
            case BatchResult.Failed failed -> json.put("error", failed.message());
            case BatchResult.Generated generated -> put(json, finished, generated.result());
        }
        return line(json);
    }

    private void put(ObjectNode json, Finished finished, GenerationResult result) {
        if (finished.prompt() != null) {
            json.put("prompt", finished.prompt());
        }
        json.put("text", result.text());
        json.put("finish_reason", result.finishReason().name().toLowerCase(Locale.ROOT));
        json.put("prompt_tokens", result.promptTokens());
        json.put("completion_tokens", result.generatedTokens());
        if (!result.logProbabilities().isEmpty()) {
            ArrayNode tokens = json.putArray("logprobs");
            for (TokenLogProbabilities token : result.logProbabilities()) {
                ObjectNode object = tokens.addObject();
                put(object, token.id(), token.logProbability());
                ArrayNode best = object.putArray("best");
                for (TokenLogProbability each : token.best()) {
                    put(best.addObject(), each.id(), each.logProbability());
                }
            }
        }
    }

    private void put(ObjectNode json, int id, double logProbability) {
        json.put("id", id).put("piece", tokenizer.piece(id)).put("log_probability", logProbability);
    }

    private static JsonNode id(RecordId id) {
        return id.isNumber() ? MAPPER.getNodeFactory().numberNode(new BigInteger(id.text())) : MAPPER.getNodeFactory().textNode(id.text());
    }

    /** One line of JSON. Half a character in a text becomes a question mark. */
    static byte[] line(JsonNode json) {
        try {
            return (MAPPER.writeValueAsString(json) + "\n").getBytes(StandardCharsets.UTF_8);
        } catch (JsonProcessingException e) {
            throw new AssertionError("texts and numbers can be written", e);
        }
    }
}
