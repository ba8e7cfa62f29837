package dev.yangtuo.chat;

import java.util.List;

/**
 * How messages are written down for a model: a form that this library knows by name, or the Jinja template that a model brings. Immutable and thread-safe.
 */
public abstract sealed class ChatTemplate permits BuiltInTemplate {
    /** For the built-in ones alone. */
    ChatTemplate() {}

    /**
     * A template that this library knows.
     *
     * @param name one of {@link #names()}
     * @throws IllegalArgumentException if it knows none of this name
     */
    public static ChatTemplate named(String name) {
        return BuiltInTemplate.of(name);
    }

    /** The names of the templates that this library knows. */
    public static List<String> names() {
        return BuiltInTemplate.names();
    }

    /** The name, or the file that it is from. */
    public abstract String name();

    /**
     * Writes down messages.
     *
     * @param messages at least one
     * @param addGenerationPrompt whether what introduces the model's next answer follows
     * @param special how the model's special tokens are written
     * @throws dev.yangtuo.exception.ChatTemplateException if the template does not take such messages, or fails
     */
    public abstract ChatPrompt render(List<ChatMessage> messages, boolean addGenerationPrompt, SpecialTexts special);

    @Override
    public final String toString() {
        return name();
    }
}
