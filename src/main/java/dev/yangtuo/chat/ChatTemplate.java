package dev.yangtuo.chat;

import dev.yangtuo.exception.ChatTemplateException;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;

/**
 * How messages are written down for a model: a form that this library knows by name, or the Jinja template that a model brings. Immutable and thread-safe.
 */
public abstract sealed class ChatTemplate permits BuiltInTemplate, JinjaTemplate {
    /** Larger files are no templates. */
    private static final long MAX_BYTES = 4 << 20;

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

    /**
     * A template in Jinja's language, as models bring them. It is not believed: it reaches nothing but the messages, and what it may take is bounded.
     *
     * @param source the template
     * @param name what messages call it, such as the file that it is from
     * @throws dev.yangtuo.exception.ChatTemplateException if it cannot be parsed
     */
    public static ChatTemplate jinja(String source, String name) {
        return new JinjaTemplate(source, name, Clock.systemDefaultZone());
    }

    /**
     * A template in Jinja's language from a file.
     *
     * @throws dev.yangtuo.exception.ChatTemplateException if there is no such file, or it cannot be parsed
     */
    public static ChatTemplate read(Path file) {
        try {
            if (!Files.isRegularFile(file)) {
                throw new ChatTemplateException(file.toString(), "%s; a chat template is one of %s, or a file"
                        .formatted(Files.exists(file) ? "is no regular file" : "there is no such file", String.join(", ", names())));
            }
            if (Files.size(file) > MAX_BYTES) {
                throw new ChatTemplateException(file.toString(), "has %d bytes, more than any chat template".formatted(Files.size(file)));
            }
            return jinja(Files.readString(file), file.toString());
        } catch (CharacterCodingException e) {
            throw new ChatTemplateException(file.toString(), "is not UTF-8", e);
        } catch (IOException e) {
            throw new ChatTemplateException(file.toString(), "cannot be read: " + e.getMessage(), e);
        }
    }

    /** The names of the templates that this library knows. */
    public static List<String> names() {
        return BuiltInTemplate.allNames();
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
