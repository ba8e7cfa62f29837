package dev.yangtuo.cli;

import dev.yangtuo.chat.ChatTemplate;
import dev.yangtuo.exception.YangtuoException;
import dev.yangtuo.recipe.PromptTemplate;
import dev.yangtuo.recipe.RecipeLanguage;
import dev.yangtuo.tokenizer.Utf8;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** In which words a recipe asks the model. */
final class RecipeTemplateOptions {
    private static final int MAX_BYTES = 1 << 20;

    @Option(names = "--language", paramLabel = "LANGUAGE", defaultValue = "zh", completionCandidates = ValueNames.Languages.class,
            description = "Language of the prompts: zh or en. Default: ${DEFAULT-VALUE}.")
    private RecipeLanguage language;

    @Option(names = "--template", paramLabel = "FILE", description = "Take this prompt instead, a text in UTF-8 with places in braces; "
            + "docs/recipes.md lists them.")
    private @Nullable Path file;

    @Option(names = "--chat-template", paramLabel = "NAME|FILE",
            description = "Give prompts to the model as messages of a user in this form, one of those of chat or a Jinja file. Default: as they are.")
    private @Nullable String chat;

    /** The form of {@code --chat-template}; null without. */
    @Nullable ChatTemplate chat() {
        return chat == null ? null : ChatCommand.template(chat);
    }

    RecipeLanguage language() {
        return language;
    }

    /** Whether a file is named. */
    boolean hasFile() {
        return file != null;
    }

    /**
     * The template to use.
     *
     * @param builtIn what is used without a file
     * @param places that one must have
     */
    PromptTemplate template(Function<RecipeLanguage, PromptTemplate> builtIn, Set<String> places) {
        if (file == null) {
            return builtIn.apply(language);
        }
        try (InputStream in = Files.newInputStream(file)) {
            byte[] text = in.readNBytes(MAX_BYTES + 1);
            if (text.length > MAX_BYTES) {
                throw new YangtuoException("%s: is longer than %d bytes; a template is a prompt".formatted(file, MAX_BYTES));
            }
            return PromptTemplate.of(file.toString(), Utf8.decode(text), places);
        } catch (IOException e) {
            throw new YangtuoException("%s: the template cannot be read: %s".formatted(file, Failures.reason(e)), e);
        }
    }
}
