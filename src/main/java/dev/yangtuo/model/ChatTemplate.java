package dev.yangtuo.model;

import com.fasterxml.jackson.databind.JsonNode;
import dev.yangtuo.checkpoint.GgufCheckpoint;
import dev.yangtuo.exception.TokenizerFormatException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** Finds the Jinja template of a chat that belongs to a tokenizer. */
final class ChatTemplate {
    static final String GGUF_KEY = "tokenizer.chat_template";
    static final String CONFIG_KEY = "chat_template";
    static final String FILE_NAME = "chat_template.jinja";

    private static final String DEFAULT_NAME = "default";
    private static final long MAX_BYTES = 16 << 20;

    private ChatTemplate() {}

    /**
     * The template that counts for a {@code tokenizer.model}: that of {@code chat_template.jinja}, else that of {@code tokenizer_config.json};
     * of several the one called default, else the first.
     *
     * @throws TokenizerFormatException if a file is damaged
     */
    static Optional<ChatTemplateSource> beside(Path tokenizerFile) {
        Path file = tokenizerFile.resolveSibling(FILE_NAME);
        if (Files.isRegularFile(file)) {
            return source(read(file), file);
        }
        TokenizerJson config = TokenizerJson.read(tokenizerFile.resolveSibling(TokenizerExport.CONFIG_FILE));
        JsonNode template = config.value(CONFIG_KEY);
        if (template == null) {
            return Optional.empty();
        }
        JsonNode chosen = template;
        if (template.isArray()) {
            chosen = template.path(0).path("template");
            for (JsonNode named : template) {
                if (named.path("name").asText().equals(DEFAULT_NAME)) {
                    chosen = named.path("template");
                }
            }
        }
        if (!chosen.isTextual()) {
            throw config.unexpected("'%s'".formatted(CONFIG_KEY), "a template or a list of named ones", template);
        }
        return source(chosen.textValue(), config.file());
    }

    /** The template in the metadata of a GGUF file. */
    static Optional<ChatTemplateSource> of(GgufCheckpoint gguf) {
        return gguf.metadata().contains(GGUF_KEY)
                ? source(gguf.metadata().string(GGUF_KEY), gguf.path()) : Optional.empty();
    }

    /** A blank one is none: the model would be told nothing of a conversation. */
    private static Optional<ChatTemplateSource> source(String text, Path file) {
        return text.isBlank() ? Optional.empty() : Optional.of(new ChatTemplateSource(text, file));
    }

    private static String read(Path file) {
        try {
            if (Files.size(file) > MAX_BYTES) {
                throw new TokenizerFormatException(file, "larger than 16 MiB, which no template is");
            }
            return Files.readString(file);
        } catch (CharacterCodingException e) {
            throw new TokenizerFormatException(file, "is not UTF-8", e);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + file + ": " + e.getMessage(), e);
        }
    }
}
