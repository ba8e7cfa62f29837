package dev.yangtuo.batch;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What a batch came to. Counts are of the whole batch, with what earlier runs of it had done; speeds and the duration are of the last run.
 *
 * @param complete false if it was cancelled before its end
 * @param requests that are done
 * @param succeeded of these, those with a text
 * @param failed of these, those without
 * @param resumedRequests of these, those that earlier runs had done
 * @param promptTokens tokens of the prompts
 * @param reusedPromptTokens of these, those that another text with the same beginning had computed
 * @param completionTokens tokens that were generated
 * @param tokensPerSecond generated tokens of the last run by its duration
 * @param promptTokensPerSecond the same of prompts
 * @param finishReasons how many texts ended for which reason: {@code end_of_text}, {@code stop_text}, {@code max_tokens}, {@code context_full}
 * @param errors how many requests failed for which {@linkplain BatchError#code reason}
 * @param duration of the last run
 */
public record BatchSummary(
        boolean complete,
        long requests,
        long succeeded,
        long failed,
        long resumedRequests,
        long promptTokens,
        long reusedPromptTokens,
        long completionTokens,
        double tokensPerSecond,
        double promptTokensPerSecond,
        Map<String, Long> finishReasons,
        Map<String, Long> errors,
        Duration duration) {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    /** Copies the maps. */
    public BatchSummary {
        finishReasons = Map.copyOf(finishReasons);
        errors = Map.copyOf(errors);
    }

    /** The same as one JSON object on one line, without a line feed. */
    public String toJson() {
        try {
            return MAPPER.writeValueAsString(toTree());
        } catch (JsonProcessingException e) {
            throw new AssertionError("numbers and words can be written", e);
        }
    }

    ObjectNode toTree() {
        ObjectNode json = MAPPER.createObjectNode();
        json.put("complete", complete);
        json.put("requests", requests).put("succeeded", succeeded).put("failed", failed).put("resumed_requests", resumedRequests);
        json.put("prompt_tokens", promptTokens).put("reused_prompt_tokens", reusedPromptTokens).put("completion_tokens", completionTokens);
        json.put("tokens_per_second", rounded(tokensPerSecond)).put("prompt_tokens_per_second", rounded(promptTokensPerSecond));
        put(json.putObject("finish_reasons"), finishReasons);
        put(json.putObject("errors"), errors);
        json.put("seconds", rounded(duration.toNanos() / 1e9));
        return json;
    }

    /** Of a batch that earlier runs have completed, whose last one had this summary. */
    static BatchSummary of(JsonNode json) {
        long requests = json.path("requests").asLong();
        return new BatchSummary(true, requests, json.path("succeeded").asLong(), json.path("failed").asLong(), requests, json.path("prompt_tokens").asLong(),
                json.path("reused_prompt_tokens").asLong(), json.path("completion_tokens").asLong(), 0, 0, counts(json.path("finish_reasons")),
                counts(json.path("errors")), Duration.ZERO);
    }

    private static Map<String, Long> counts(JsonNode json) {
        Map<String, Long> counts = new LinkedHashMap<>();
        json.properties().forEach(count -> counts.put(count.getKey(), count.getValue().asLong()));
        return counts;
    }

    private static double rounded(double value) {
        return Math.round(value * 1000) / 1000.0;
    }

    private static void put(ObjectNode json, Map<String, Long> counts) {
        counts.entrySet().stream().sorted(Map.Entry.comparingByKey()).forEach(entry -> json.put(entry.getKey(), entry.getValue()));
    }
}
