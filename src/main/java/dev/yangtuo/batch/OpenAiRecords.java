package dev.yangtuo.batch;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.yangtuo.FinishReason;
import dev.yangtuo.GenerationResult;
import dev.yangtuo.TokenLogProbabilities;
import dev.yangtuo.TokenLogProbability;
import dev.yangtuo.tokenizer.PieceType;
import dev.yangtuo.tokenizer.StreamingDecoder;
import dev.yangtuo.tokenizer.Tokenizer;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;

/**
 * OpenAI's output files, as vLLM's {@code run_batch} writes them: {@code id}, {@code custom_id}, {@code response} with {@code status_code}, {@code request_id} and
 * {@code body}, and {@code error}. A request that failed has both the body with an error that a server would have answered with, and the error beside the response.
 */
final class OpenAiRecords implements RecordFormat {
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final int BAD_REQUEST = 400;
    private static final int SERVER_ERROR = 500;

    private final Tokenizer tokenizer;
    /** Some text, behind which a token keeps the space that it begins with. */
    private final int[] before;
    private final String model;
    private final long created;

    /**
     * Begins.
     *
     * @param tokenizer names the pieces of log-probabilities
     * @param model what responses call the model
     * @param created seconds since 1970 of all of them
     */
    OpenAiRecords(Tokenizer tokenizer, String model, long created) {
        this.tokenizer = tokenizer;
        this.before = tokenizer.encode("a");
        this.model = model;
        this.created = created;
    }

    @Override
    public byte[] preamble() {
        return new byte[0];
    }

    @Override
    public byte[] record(Finished finished) {
        RecordId id = finished.record().id();
        // Not random: the same request has the same ids when it is computed again.
        String hash = HexFormat.of().formatHex(Digests.of(finished.record().number(), id.text()).array(), 0, 16);
        ObjectNode json = MAPPER.createObjectNode();
        json.put("id", "batch_req_" + hash).put("custom_id", id.isOwn() ? id.text() : null);
        ObjectNode response = json.putObject("response");
        switch (finished.result()) {
            case BatchResult.Generated generated -> {
                response.put("status_code", 200).put("request_id", "req_" + hash);
                putBody(response.putObject("body"), finished, hash, generated.result());
                json.putNull("error");
            }
            case BatchResult.Failed failed -> {
                boolean ours = failed.error() == BatchError.FAILED;
                response.put("status_code", ours ? SERVER_ERROR : BAD_REQUEST).put("request_id", "req_" + hash);
                response.putObject("body").putObject("error").put("message", failed.message()).put("type", ours ? "server_error" : "invalid_request_error")
                        .putNull("param").put("code", failed.error().code());
                json.putObject("error").put("code", failed.error().code()).put("message", failed.message());
            }
        }
        return JsonRecords.line(json);
    }

    private void putBody(ObjectNode body, Finished finished, String hash, GenerationResult result) {
        boolean chat = finished.record().reply() == InputRecord.Reply.CHAT;
        body.put("id", (chat ? "chatcmpl-" : "cmpl-") + hash).put("object", chat ? "chat.completion" : "text_completion").put("created", created).put("model", model);
        ObjectNode choice = body.putArray("choices").addObject().put("index", 0);
        if (chat) {
            choice.putObject("message").put("role", "assistant").put("content", result.text());
        } else {
            choice.put("text", (finished.prompt() == null ? "" : finished.prompt()) + result.text());
        }
        if (result.logProbabilities().isEmpty()) {
            choice.putNull("logprobs");
        } else if (chat) {
            putChat(choice.putObject("logprobs").putArray("content"), result);
        } else {
            putCompletion(choice.putObject("logprobs"), result, finished.prompt() == null ? 0 : finished.prompt().length());
        }
        choice.put("finish_reason", finishReason(result.finishReason()));
        body.putObject("usage").put("prompt_tokens", result.promptTokens()).put("completion_tokens", result.generatedTokens())
                .put("total_tokens", result.promptTokens() + result.generatedTokens());
    }

    private static String finishReason(FinishReason reason) {
        return switch (reason) {
            case END_OF_TEXT, STOP_TEXT -> "stop";
            case MAX_TOKENS, CONTEXT_FULL -> "length";
            case CANCELLED -> "cancelled";
        };
    }

    private void putChat(ArrayNode content, GenerationResult result) {
        for (TokenLogProbabilities token : result.logProbabilities()) {
            ObjectNode object = content.addObject();
            putToken(object, token.id(), token.logProbability());
            ArrayNode best = object.putArray("top_logprobs");
            for (TokenLogProbability each : token.best()) {
                putToken(best.addObject(), each.id(), each.logProbability());
            }
        }
    }

    private void putToken(ObjectNode object, int id, double logProbability) {
        String text = text(id);
        object.put("token", text).put("logprob", logProbability);
        ArrayNode bytes = object.putArray("bytes");
        if (tokenizer.type(id) == PieceType.BYTE) {
            bytes.add(Integer.parseInt(tokenizer.piece(id), "<0x".length(), "<0xFF".length(), 16)); // the text of a part of a character is U+FFFD
            return;
        }
        for (byte each : text.getBytes(StandardCharsets.UTF_8)) {
            bytes.add(each & 0xFF);
        }
    }

    private void putCompletion(ObjectNode logprobs, GenerationResult result, int offset) {
        ArrayNode tokens = logprobs.putArray("tokens");
        ArrayNode values = logprobs.putArray("token_logprobs");
        ArrayNode best = logprobs.putArray("top_logprobs");
        ArrayNode offsets = logprobs.putArray("text_offset");
        int at = offset;
        for (TokenLogProbabilities token : result.logProbabilities()) {
            String text = text(token.id());
            tokens.add(text);
            values.add(token.logProbability());
            ObjectNode top = best.addObject();
            token.best().forEach(each -> top.put(text(each.id()), each.logProbability()));
            offsets.add(at);
            at += text.length();
        }
    }

    /** What a token adds to a text. */
    private String text(int id) {
        StreamingDecoder decoder = tokenizer.continuationDecoder(before);
        return decoder.accept(id) + decoder.flush();
    }
}
