package dev.yangtuo.chat;

import dev.yangtuo.exception.ChatTemplateException;
import dev.yangtuo.jinja.JinjaException;
import dev.yangtuo.jinja.Program;
import dev.yangtuo.jinja.Text;
import java.time.Clock;
import java.time.LocalDateTime;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** A template in Jinja's language, rendered as the transformers library renders it. */
final class JinjaTemplate extends ChatTemplate {
    private static final Set<String> KNOWN_ROLES =
            Set.of(ChatMessage.SYSTEM, ChatMessage.USER, ChatMessage.ASSISTANT, "tool", "function", "developer", "observation", "ipython", "environment");

    private final String name;
    private final Program program;
    private final Clock clock;

    /**
     * Parses one.
     *
     * @param name or file, for messages
     * @param clock of {@code strftime_now}
     */
    JinjaTemplate(String source, String name, Clock clock) {
        this.name = name;
        this.clock = clock;
        try {
            this.program = Program.parse(source);
        } catch (JinjaException e) {
            throw new ChatTemplateException(name, "the chat template cannot be read: %s; name another one (%s, or a file)".formatted(
                    e.getMessage(), String.join(", ", names())), e);
        }
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public ChatPrompt render(List<ChatMessage> messages, boolean addGenerationPrompt, SpecialTexts special) {
        Map<String, @Nullable Object> variables = new LinkedHashMap<>();
        variables.put("messages", messages.stream().map(JinjaTemplate::toMap).toList());
        variables.put("add_generation_prompt", addGenerationPrompt);
        variables.put("tools", null);
        variables.put("documents", null);
        put(variables, "bos_token", special.bos());
        put(variables, "eos_token", special.eos());
        put(variables, "unk_token", special.unk());
        put(variables, "pad_token", special.pad());
        long size = messages.stream().mapToLong(message -> message.role().length() + message.content().length()).sum();
        try {
            Text text = program.render(variables, size, LocalDateTime.now(clock));
            return new ChatPrompt(text.value(), text.quoted());
        } catch (JinjaException e) {
            String problem = e.isRaised() ? "the chat template refuses these messages: " : "the chat template failed: ";
            throw new ChatTemplateException(name, problem + e.getMessage(), e);
        }
    }

    /** Roles that published templates know are no quotation, since some write markers such as {@code <|user|>} with them; a caller may take others from anywhere. */
    private static Map<Text, Text> toMap(ChatMessage message) {
        Map<Text, Text> map = new LinkedHashMap<>();
        map.put(Text.of("role"), KNOWN_ROLES.contains(message.role()) ? Text.of(message.role()) : Text.quote(message.role()));
        map.put(Text.of("content"), Text.quote(message.content()));
        return map;
    }

    /** A token that the model does not have is not defined. */
    private static void put(Map<String, @Nullable Object> variables, String name, String token) {
        if (!token.isEmpty()) {
            variables.put(name, Text.of(token));
        }
    }
}
