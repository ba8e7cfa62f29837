package dev.yangtuo.recipe;

import dev.yangtuo.GenerateOptions;
import dev.yangtuo.Generation;
import dev.yangtuo.GenerationResult;
import dev.yangtuo.Llama;
import dev.yangtuo.TokenLogProbabilities;
import dev.yangtuo.chat.ChatMessage;
import dev.yangtuo.chat.ChatTemplate;
import dev.yangtuo.tokenizer.EncodeOptions;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** A model that writes. May be shared by threads. The model stays the caller's. */
public final class LlamaGenerator implements TextGenerator {
    private final Llama llama;
    private final GenerateOptions options;
    private final @Nullable ChatTemplate chat;
    private final Set<Generation> running = ConcurrentHashMap.newKeySet();

    /** @param options for every text; their seed does not count */
    public LlamaGenerator(Llama llama, GenerateOptions options) {
        this(llama, options, null);
    }

    /**
     * @param options for every text; their seed does not count
     * @param chat the form in which each prompt becomes a message of the user; null: prompts are taken as they are
     */
    public LlamaGenerator(Llama llama, GenerateOptions options, @Nullable ChatTemplate chat) {
        this.llama = llama;
        this.options = options.logProbabilities(0);
        this.chat = chat;
    }

    @Override
    public Completion generate(String prompt, long seed) {
        try (Generation generation = begin(prompt, options.seed(seed))) {
            running.add(generation);
            try {
                GenerationResult result = generation.result();
                double sum = result.logProbabilities().stream().mapToDouble(TokenLogProbabilities::logProbability).sum();
                return new Completion(result.text(), result.finishReason(), result.ids().size(), sum, seed);
            } finally {
                running.remove(generation);
            }
        }
    }

    private Generation begin(String prompt, GenerateOptions seeded) {
        return chat == null ? llama.generate(prompt, seeded) : llama.chat(chat, List.of(ChatMessage.user(prompt)), seeded);
    }

    @Override
    public int room(String prompt) {
        if (chat != null) {
            return llama.contextLength() - llama.chatPrompt(chat, List.of(ChatMessage.user(prompt))).length;
        }
        int bos = llama.tokenizer().bosId() < 0 ? 0 : 1;
        return llama.contextLength() - bos - llama.tokenizer().encode(prompt, EncodeOptions.PLAIN).length;
    }

    @Override
    public void cancel() {
        running.forEach(Generation::cancel);
    }
}
