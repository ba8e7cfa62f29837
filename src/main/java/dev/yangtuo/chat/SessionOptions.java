package dev.yangtuo.chat;

import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What a conversation begins with. Immutable: each method returns a changed copy. */
public final class SessionOptions {
    private static final SessionOptions DEFAULTS = new SessionOptions(null, "", List.of());

    private final @Nullable ChatTemplate template;
    private final String system;
    private final List<ChatMessage> messages;

    private SessionOptions(@Nullable ChatTemplate template, String system, List<ChatMessage> messages) {
        this.template = template;
        this.system = system;
        this.messages = messages;
    }

    /** The model's own template, no system message, nothing said yet. */
    public static SessionOptions defaults() {
        return DEFAULTS;
    }

    /** Writes messages down in this form instead of the model's own. */
    public SessionOptions template(ChatTemplate value) {
        return new SessionOptions(value, system, messages);
    }

    /** Says how to answer; empty for nothing. */
    public SessionOptions system(String text) {
        return new SessionOptions(template, text, messages);
    }

    /**
     * What was said before: messages of the user with their answers.
     *
     * @throws IllegalArgumentException if a system message is among them, which {@link #system} sets
     */
    public SessionOptions messages(List<ChatMessage> said) {
        if (said.stream().anyMatch(message -> message.is(ChatMessage.SYSTEM))) {
            throw new IllegalArgumentException("a system message is among those that were said before; it is set by system(text)");
        }
        return new SessionOptions(template, system, List.copyOf(said));
    }

    Optional<ChatTemplate> template() {
        return Optional.ofNullable(template);
    }

    String system() {
        return system;
    }

    List<ChatMessage> messages() {
        return messages;
    }
}
