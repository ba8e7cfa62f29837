package dev.yangtuo.batch;

import dev.yangtuo.GenerateOptions;
import dev.yangtuo.chat.ChatMessage;
import java.util.List;
import java.util.Objects;
import java.util.function.UnaryOperator;

/**
 * One text of a batch.
 *
 * @param id names it in the results, and is what its seed is made of; ids need not differ, but requests of the same id and prompt give the same text
 * @param prompt what it begins with
 * @param options changes the options of the job for this text; what it sets wins, the seed included
 */
public record BatchRequest(String id, BatchPrompt prompt, UnaryOperator<GenerateOptions> options) {
    /** Checks that nothing is missing. */
    public BatchRequest {
        Objects.requireNonNull(id);
        Objects.requireNonNull(prompt);
        Objects.requireNonNull(options);
    }

    /** A text with the options of the job. */
    public static BatchRequest of(String id, String prompt) {
        return new BatchRequest(id, new BatchPrompt.Text(prompt), UnaryOperator.identity());
    }

    /** A conversation with the options of the job. */
    public static BatchRequest chat(String id, List<ChatMessage> messages) {
        return new BatchRequest(id, new BatchPrompt.Chat(messages), UnaryOperator.identity());
    }

    /** The same with options of its own, which are applied after those that are there. */
    public BatchRequest with(UnaryOperator<GenerateOptions> change) {
        return new BatchRequest(id, prompt, before -> change.apply(options.apply(before)));
    }
}
