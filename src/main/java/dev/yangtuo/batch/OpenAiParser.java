package dev.yangtuo.batch;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Optional;
import java.util.Set;

/**
 * A line of OpenAI's batch files, as vLLM's {@code run_batch} reads them: {@code custom_id}, {@code method}, {@code url} and a {@code body}, which is a request of
 * {@code /v1/chat/completions} or {@code /v1/completions}.
 */
final class OpenAiParser implements LineParser {
    static final String CHAT_URL = "/v1/chat/completions";
    static final String COMPLETION_URL = "/v1/completions";

    private static final Set<String> FIELDS = Set.of("custom_id", "method", "url", "body");
    private static final Set<String> CHAT_FIELDS = Set.of("model", "messages");
    private static final Set<String> COMPLETION_FIELDS = Set.of("model", "prompt");

    private final OptionFields options = new OptionFields();

    @Override
    public Parsed parse(byte[] line) throws RequestProblem {
        ObjectNode object = RequestJson.object(line);
        JsonNode id = RequestJson.get(object, "custom_id");
        Optional<RecordId> given = id == null ? Optional.empty() : Optional.of(RecordId.of(RequestJson.text("custom_id", id)));
        InputRecord.Reply reply = CHAT_URL.equals(object.path("url").textValue()) ? InputRecord.Reply.CHAT : InputRecord.Reply.COMPLETION;
        return new Parsed(given, reply, name -> request(name, given.isPresent(), reply, object));
    }

    private BatchRequest request(String id, boolean given, InputRecord.Reply reply, ObjectNode object) throws RequestProblem {
        if (!given) {
            throw RequestProblem.invalid("has no custom_id");
        }
        for (var field : object.properties()) {
            if (!FIELDS.contains(field.getKey())) {
                throw RequestProblem.invalid("%s is not known; a line has custom_id, method, url and body", RequestProblem.quoted(field.getKey()));
            }
        }
        String method = RequestJson.text("method", RequestJson.required("the line", object, "method"));
        if (!method.equals("POST")) {
            throw RequestProblem.invalid("method is %s; expected 'POST'", RequestProblem.quoted(method));
        }
        String url = RequestJson.text("url", RequestJson.required("the line", object, "url"));
        if (!url.equals(CHAT_URL) && !url.equals(COMPLETION_URL)) {
            throw RequestProblem.invalid("url is %s; expected '%s' or '%s'", RequestProblem.quoted(url), CHAT_URL, COMPLETION_URL);
        }
        if (RequestJson.required("the line", object, "body") instanceof ObjectNode body) {
            return body(id, reply, body);
        }
        throw RequestJson.wrongType("body", "an object", object.get("body"));
    }

    private BatchRequest body(String id, InputRecord.Reply reply, ObjectNode body) throws RequestProblem {
        JsonNode model = RequestJson.get(body, "model");
        if (model != null) {
            RequestJson.text("model", model);
        }
        if (reply == InputRecord.Reply.CHAT) {
            BatchPrompt messages = RequestJson.messages("messages", RequestJson.required("body", body, "messages"));
            return new BatchRequest(id, messages, options.read(body, CHAT_FIELDS));
        }
        BatchPrompt prompt = RequestJson.prompt("prompt", RequestJson.required("body", body, "prompt"));
        return new BatchRequest(id, prompt, options.read(body, COMPLETION_FIELDS));
    }
}
