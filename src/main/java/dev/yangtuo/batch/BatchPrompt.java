package dev.yangtuo.batch;

import dev.yangtuo.chat.ChatMessage;
import java.util.List;

/** What a text begins with. */
public sealed interface BatchPrompt {
    /**
     * A text, as {@link dev.yangtuo.Llama#generate(String, dev.yangtuo.GenerateOptions)} takes it.
     *
     * @param text may be empty if the tokenizer has a beginning of sequence
     */
    record Text(String text) implements BatchPrompt {}

    /**
     * Token ids, to which nothing is added.
     *
     * @param ids at least one
     */
    record Tokens(List<Integer> ids) implements BatchPrompt {
        /** Copies the list. */
        public Tokens {
            ids = List.copyOf(ids);
        }
    }

    /**
     * A conversation, to be written as the model's chat template says.
     *
     * @param messages at least one
     */
    record Chat(List<ChatMessage> messages) implements BatchPrompt {
        /** Copies the list. */
        public Chat {
            messages = List.copyOf(messages);
        }
    }
}
