package dev.yangtuo.batch;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Optional;
import java.util.Set;

/** {@code {"id":.., "prompt":..}} or {@code {"id":.., "messages":[..]}}, and options beside it. */
final class JsonLineParser implements LineParser {
    private static final Set<String> OTHERS = Set.of("id", "prompt", "messages");

    private final OptionFields options = new OptionFields();

    @Override
    public Parsed parse(byte[] line) throws RequestProblem {
        ObjectNode object = RequestJson.object(line);
        InputRecord.Reply reply = RequestJson.get(object, "messages") == null ? InputRecord.Reply.COMPLETION : InputRecord.Reply.CHAT;
        return new Parsed(Optional.ofNullable(RequestJson.id("id", object)), reply, id -> request(id, object));
    }

    private BatchRequest request(String id, ObjectNode object) throws RequestProblem {
        JsonNode prompt = RequestJson.get(object, "prompt");
        JsonNode messages = RequestJson.get(object, "messages");
        if ((prompt == null) == (messages == null)) {
            throw RequestProblem.invalid(prompt == null ? "has neither prompt nor messages" : "has both prompt and messages; give one of them");
        }
        BatchPrompt begin = prompt == null ? RequestJson.messages("messages", messages) : RequestJson.prompt("prompt", prompt);
        return new BatchRequest(id, begin, options.read(object, OTHERS));
    }
}
