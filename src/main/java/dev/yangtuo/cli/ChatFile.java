package dev.yangtuo.cli;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import dev.yangtuo.chat.ChatMessage;
import dev.yangtuo.exception.YangtuoException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A conversation in a file: a JSON list of messages, each with its {@code role} and its {@code content}, as chat programs and interfaces pass them around. */
final class ChatFile {
    private static final long MAX_BYTES = 64 << 20;

    private ChatFile() {}

    /** @throws YangtuoException if it cannot be written; what was there before is as it was */
    static void save(Path file, List<ChatMessage> messages) throws IOException {
        List<Map<String, String>> list = messages.stream().map(message -> {
            Map<String, String> map = new LinkedHashMap<>();
            map.put("role", message.role());
            map.put("content", message.content());
            return map;
        }).toList();
        try (ResultFile result = ResultFile.create(file)) {
            result.write((new JsonLines().write(list) + "\n").getBytes(StandardCharsets.UTF_8));
            result.complete();
        }
    }

    /** @throws YangtuoException if there is no such file, or it says something else */
    static List<ChatMessage> load(Path file) {
        JsonNode root;
        try {
            if (Files.exists(file) && !Files.isRegularFile(file)) {
                throw new YangtuoException("%s: is no regular file".formatted(file)); // a pipe would be waited for, a device may have no end
            }
            if (Files.exists(file) && Files.size(file) > MAX_BYTES) {
                throw new YangtuoException("%s: is larger than %d bytes, which no conversation is".formatted(file, MAX_BYTES));
            }
            root = new JsonLines().read(Files.readAllBytes(file));
        } catch (JacksonException e) {
            throw new YangtuoException("%s: is no JSON: %s".formatted(file, e.getOriginalMessage()), e);
        } catch (IOException e) {
            throw new YangtuoException("%s: cannot be read: %s".formatted(file, Failures.reason(e)), e);
        }
        if (!root.isArray()) {
            throw new YangtuoException("%s: holds no list; expected [{\"role\":\"user\",\"content\":\"...\"}, ...]".formatted(file));
        }
        List<ChatMessage> messages = new ArrayList<>();
        for (JsonNode message : root) {
            if (!message.path("role").isTextual() || !message.path("content").isTextual() || message.path("role").textValue().isEmpty()) {
                throw new YangtuoException("%s: message %d has no 'role' or no 'content' that is a string".formatted(file, messages.size() + 1));
            }
            messages.add(new ChatMessage(message.path("role").textValue(), message.path("content").textValue()));
        }
        return messages;
    }
}
