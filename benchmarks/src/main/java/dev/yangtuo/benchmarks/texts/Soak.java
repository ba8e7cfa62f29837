package dev.yangtuo.benchmarks.texts;

import dev.yangtuo.FinishReason;
import dev.yangtuo.GenerateOptions;
import dev.yangtuo.Generation;
import dev.yangtuo.GenerationResult;
import dev.yangtuo.Llama;
import dev.yangtuo.LoadOptions;
import dev.yangtuo.TextStatistics;
import dev.yangtuo.benchmarks.Arguments;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A long run of random requests from many threads: texts of random length with random options, some cancelled, some abandoned, with little memory for keys and values.
 * Greedy texts are asked for again and again, and must always be the same. Every ten seconds it prints what was done and the memory of the process; it ends with an
 * error if a text failed or differed. Linux only: memory is read from {@code /proc}.
 */
public final class Soak {
    private static final int GREEDY_TEXTS = 40;
    private static final int CONTEXT = 512;

    private final Llama llama;
    private final long end;
    private final AtomicLong complete = new AtomicLong();
    private final AtomicLong cancelled = new AtomicLong();
    private final List<Throwable> failures = new ArrayList<>();
    /** The greedy texts, by their number. */
    private final Map<Integer, List<Integer>> known = new ConcurrentHashMap<>();

    private Soak(Llama llama, long end) {
        this.llama = llama;
        this.end = end;
    }

    /**
     * Runs.
     *
     * @param arguments {@code --model PATH}, the demonstration model's base for instance; {@code --seconds 600}; {@code --threads 16} that ask; {@code --kv-megabytes 16}
     * @throws IOException if {@code /proc} cannot be read
     * @throws InterruptedException if waiting is interrupted
     */
    public static void main(String[] arguments) throws IOException, InterruptedException {
        Arguments a = Arguments.parse(arguments, Set.of("--model", "--seconds", "--threads", "--kv-megabytes"));
        if (a.all("--model").isEmpty()) {
            throw new IllegalArgumentException("--model PATH is missing: examples/demo-model/base, for instance");
        }
        LoadOptions options = LoadOptions.defaults().context(CONTEXT).maxSequences(12).kvMemory(a.count("--kv-megabytes", 16) * 1_000_000L);
        int seconds = a.count("--seconds", 600);
        try (Llama llama = Llama.load(Path.of(a.all("--model").getLast()), options)) {
            boolean good = new Soak(llama, System.nanoTime() + seconds * 1_000_000_000L).run(a.count("--threads", 16));
            if (!good) {
                System.exit(1);
            }
        }
    }

    private boolean run(int threads) throws IOException, InterruptedException {
        List<Thread> all = new ArrayList<>();
        for (int i = 0; i < threads; i++) {
            long seed = i;
            all.add(Thread.ofPlatform().start(() -> ask(new Random(seed))));
        }
        long start = System.nanoTime();
        while (System.nanoTime() < end) {
            Thread.sleep(10_000);
            report((System.nanoTime() - start) / 1e9);
        }
        for (Thread thread : all) {
            thread.join();
        }
        report((System.nanoTime() - start) / 1e9);
        synchronized (failures) {
            failures.stream().limit(5).forEach(Throwable::printStackTrace);
            System.out.println(failures.isEmpty() ? "no text failed or differed" : failures.size() + " failures");
            return failures.isEmpty();
        }
    }

    private void ask(Random random) {
        while (System.nanoTime() < end) {
            try {
                if (random.nextBoolean()) {
                    askKnown(random.nextInt(GREEDY_TEXTS));
                } else {
                    askAny(random);
                }
            } catch (RuntimeException | AssertionError e) {
                synchronized (failures) {
                    failures.add(e);
                }
            }
        }
    }

    private void askKnown(int number) {
        Random own = new Random(number);
        int[] prompt = own.ints(1 + own.nextInt(300), 0, llama.tokenizer().vocabSize()).toArray();
        GenerateOptions options = GenerateOptions.defaults().greedy().maxTokens(1 + own.nextInt(100)).promptLookup(own.nextInt(8));
        List<Integer> ids = llama.generate(prompt, options).result().ids();
        List<Integer> before = known.putIfAbsent(number, ids);
        if (before != null && !before.equals(ids)) {
            throw new AssertionError("text %d was %s and is %s".formatted(number, before, ids));
        }
        complete.incrementAndGet();
    }

    private void askAny(Random random) {
        int[] prompt = random.ints(1 + random.nextInt(random.nextInt(10) == 0 ? 500 : 100), 0, llama.tokenizer().vocabSize()).toArray();
        GenerateOptions options = GenerateOptions.defaults().temperature(random.nextFloat() * 2).topK(random.nextInt(3) * 30).maxTokens(1 + random.nextInt(150))
                .seed(random.nextLong()).priority(random.nextInt(3));
        Generation text = llama.generate(prompt, options);
        switch (random.nextInt(6)) {
            case 0 -> {
                text.iterator().hasNext(); // and forgotten; it may be empty
                cancelled.incrementAndGet();
            }
            case 1 -> {
                try (text) {
                    text.iterator().hasNext();
                }
                cancelled.incrementAndGet();
            }
            case 2 -> {
                Thread.ofVirtual().start(text::cancel);
                if (text.result().finishReason() == FinishReason.CANCELLED) {
                    cancelled.incrementAndGet();
                }
            }
            default -> {
                GenerationResult result = text.result();
                if (result.finishReason() == FinishReason.CANCELLED) {
                    throw new AssertionError("a text was cancelled by nobody");
                }
                complete.incrementAndGet();
            }
        }
    }

    private void report(double seconds) throws IOException {
        TextStatistics s = llama.statistics();
        System.gc(); // so that what is left is what is held; it also finds forgotten texts
        System.out.printf(Locale.ROOT, "%4.0f s: %d texts complete, %d cancelled, %d tokens, %.0f %% of prompts reused, %d preemptions, resident %d MB, heap %d MB%n", seconds,
                complete.get(), cancelled.get(), s.generatedTokens(), 100 * s.hitRate(), s.preemptions(), residentBytes() / 1_000_000,
                (Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory()) / 1_000_000);
    }

    private static long residentBytes() throws IOException {
        try (var lines = Files.lines(Path.of("/proc/self/status"))) {
            return lines.filter(line -> line.startsWith("VmRSS:")).mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) * 1024).findFirst().orElseThrow();
        }
    }
}
