package dev.yangtuo.benchmarks.texts;

import dev.yangtuo.GenerateOptions;
import dev.yangtuo.Generation;
import dev.yangtuo.KvType;
import dev.yangtuo.Llama;
import dev.yangtuo.LoadOptions;
import dev.yangtuo.TextStatistics;
import dev.yangtuo.benchmarks.Arguments;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.Stream;

/**
 * How fast many texts are that arrive at once, with random prompts of which the first tokens are common to all: once as they are, and once with as many tokens that no two
 * texts have in common. Prints, for each, tokens a second, how many tokens of the prompts were there already, forward passes, and the share of the time that is not
 * spent in them.
 */
public final class TextThroughput {
    private TextThroughput() {}

    /** Prompts, and what is generated behind them. */
    private record Load(int texts, int promptTokens, int commonTokens, int generatedTokens) {
        int[][] prompts(int vocabSize, boolean common, long seed) {
            SplittableRandom random = new SplittableRandom(seed);
            int[] beginning = random.ints(commonTokens, 0, vocabSize).toArray();
            int[][] prompts = new int[texts][];
            for (int i = 0; i < texts; i++) {
                prompts[i] = random.ints(promptTokens, 0, vocabSize).toArray();
                if (common) {
                    System.arraycopy(beginning, 0, prompts[i], 0, commonTokens);
                }
            }
            return prompts;
        }
    }

    /**
     * Measures and prints.
     *
     * @param arguments {@code --model FILE}; {@code --texts 64}, {@code --prompt 544} tokens of each, {@code --common 512} of them common, {@code --tokens 32} generated;
     *     {@code --sequences 32} at a time; {@code --threads}, all processors unless given; {@code --kv-type f16}; {@code --rounds 2}
     */
    public static void main(String[] arguments) {
        Arguments a = Arguments.parse(
                arguments, Set.of("--model", "--texts", "--prompt", "--common", "--tokens", "--sequences", "--threads", "--kv-type", "--rounds"));
        if (a.all("--model").isEmpty()) {
            throw new IllegalArgumentException("--model FILE is missing: a model to measure with, for instance of `yangtuo bench --shape 1b --synthetic-output FILE`");
        }
        int prompt = a.count("--prompt", 544);
        Load load = new Load(a.count("--texts", 64), prompt, Math.min(prompt, Integer.parseInt(a.option("--common", "512"))), a.count("--tokens", 32));
        LoadOptions options = LoadOptions.defaults().context(load.promptTokens() + load.generatedTokens()).maxSequences(a.count("--sequences", 32))
                .threads(a.count("--threads", Runtime.getRuntime().availableProcessors())).kvType(KvType.of(a.option("--kv-type", "f16")));
        try (Llama llama = Llama.load(Path.of(a.all("--model").getLast()), options)) {
            System.out.println(llama.report().describe());
            System.out.printf("%d texts, prompts of %d tokens, %d generated each, %d texts at a time%n%n", load.texts(), load.promptTokens(), load.generatedTokens(),
                    a.count("--sequences", 32));
            System.out.println("| beginnings | seconds | generated tokens/s | all tokens/s | tokens of prompts reused | forward passes | outside of them |");
            System.out.println("| --- | ---: | ---: | ---: | ---: | ---: | ---: |");
            run(llama, new Load(Math.min(8, load.texts()), 16, 0, 8), false, -1, null); // what the JVM compiles
            for (int round = 0; round < a.count("--rounds", 2); round++) {
                if (load.commonTokens() > 0) {
                    run(llama, load, true, round, "common (" + load.commonTokens() + ")");
                }
                run(llama, load, false, 1000 + round, "different");
            }
        }
    }

    private static void run(Llama llama, Load load, boolean common, long seed, String label) {
        int[][] prompts = load.prompts(llama.tokenizer().vocabSize(), common, seed);
        GenerateOptions options = GenerateOptions.defaults().greedy().maxTokens(load.generatedTokens());
        TextStatistics before = llama.statistics();
        long start = System.nanoTime();
        List<Generation> texts = new ArrayList<>();
        for (int[] prompt : prompts) {
            Generation text = llama.generate(prompt, options);
            texts.add(text);
            Thread.ofVirtual().start(text::result);
        }
        long generated = texts.stream().mapToLong(text -> text.result().generatedTokens()).sum();
        double seconds = (System.nanoTime() - start) / 1e9;
        TextStatistics after = llama.statistics();
        if (label == null) {
            return;
        }
        long tokens = generated + Stream.of(prompts).flatMapToInt(Arrays::stream).count();
        double busy = after.busy().minus(before.busy()).toNanos();
        double computing = after.computing().minus(before.computing()).toNanos();
        System.out.printf(Locale.ROOT, "| %s | %.2f | %.1f | %.1f | %d of %d | %d | %.2f %% |%n", label, seconds, generated / seconds, tokens / seconds,
                after.reusedTokens() - before.reusedTokens(), after.promptTokens() - before.promptTokens(), after.forwardPasses() - before.forwardPasses(),
                100 * (1 - computing / busy));
    }
}
