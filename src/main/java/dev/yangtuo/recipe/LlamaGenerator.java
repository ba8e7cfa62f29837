package dev.yangtuo.recipe;

import dev.yangtuo.GenerateOptions;
import dev.yangtuo.Generation;
import dev.yangtuo.GenerationResult;
import dev.yangtuo.Llama;
import dev.yangtuo.TokenLogProbabilities;
import dev.yangtuo.tokenizer.EncodeOptions;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** A model that writes. May be shared by threads. The model stays the caller's. */
public final class LlamaGenerator implements TextGenerator {
    private final Llama llama;
    private final GenerateOptions options;
    private final Set<Generation> running = ConcurrentHashMap.newKeySet();

    /** @param options for every text; their seed does not count */
    public LlamaGenerator(Llama llama, GenerateOptions options) {
        this.llama = llama;
        this.options = options.logProbabilities(0);
    }

    @Override
    public Completion generate(String prompt, long seed) {
        try (Generation generation = llama.generate(prompt, options.seed(seed))) {
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

    @Override
    public int room(String prompt) {
        int bos = llama.tokenizer().bosId() < 0 ? 0 : 1;
        return llama.contextLength() - bos - llama.tokenizer().encode(prompt, EncodeOptions.PLAIN).length;
    }

    @Override
    public void cancel() {
        running.forEach(Generation::cancel);
    }
}
