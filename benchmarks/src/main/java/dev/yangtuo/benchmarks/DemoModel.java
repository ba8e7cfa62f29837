package dev.yangtuo.benchmarks;

import dev.yangtuo.BackendType;
import dev.yangtuo.GenerateOptions;
import dev.yangtuo.Llama;
import dev.yangtuo.LoadOptions;
import dev.yangtuo.WeightType;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/** The demonstration model of the repository, base and Chinese adapter. */
final class DemoModel {
    /** Greedy tokens that two backends must have in common. */
    private static final int CHECKED_TOKENS = 32;

    private DemoModel() {}

    /** Loads it on the native backend; without the native library there is nothing to measure. */
    static Llama open(WeightType weights, int threads) {
        return open(weights, threads, BackendType.NATIVE);
    }

    private static Llama open(WeightType weights, int threads, BackendType backend) {
        LoadOptions options = LoadOptions.defaults()
                .lora(folder().resolve("chinese-lora"))
                .quantize(weights)
                .threads(threads)
                .backend(backend);
        return Llama.load(folder().resolve("base"), options);
    }

    /** Poems as token ids, a beginning-of-sequence token before them and a title after them, so that the model begins a new one. */
    static int[] prompt(Llama llama, int tokens) {
        int[] title = llama.tokenizer().encode("《静夜思》李白\n");
        if (tokens < 1 + title.length) {
            throw new IllegalArgumentException("a prompt of %d tokens is too short for its title".formatted(tokens));
        }
        try {
            int[] poems = llama.tokenizer().encode(Files.readString(folder().resolve("text/poems.txt")));
            int[] prompt = new int[tokens];
            prompt[0] = llama.tokenizer().bosId();
            System.arraycopy(poems, 0, prompt, 1, tokens - 1 - title.length);
            System.arraycopy(title, 0, prompt, tokens - title.length, title.length);
            return prompt;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Compares with the scalar backend, which computes the same bits.
     *
     * @throws IllegalStateException if the two do not write the same text
     */
    static void verify(Llama llama, WeightType weights, int[] prompt) {
        GenerateOptions options = GenerateOptions.defaults().greedy().maxTokens(CHECKED_TOKENS);
        List<Integer> actual = llama.generate(prompt, options).result().ids();
        try (Llama reference = open(weights, Runtime.getRuntime().availableProcessors(), BackendType.SCALAR)) {
            List<Integer> expected = reference.generate(prompt, options).result().ids();
            if (!actual.equals(expected)) {
                throw new IllegalStateException("%s after %s writes %s, the scalar backend writes %s"
                        .formatted(llama.report().backend(), Arrays.toString(prompt), actual, expected));
            }
        }
    }

    private static Path folder() {
        return Path.of(System.getProperty("yangtuo.home", "."), "examples", "demo-model");
    }
}
