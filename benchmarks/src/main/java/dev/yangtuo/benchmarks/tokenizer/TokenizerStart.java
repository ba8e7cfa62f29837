package dev.yangtuo.benchmarks.tokenizer;

import dev.yangtuo.benchmarks.Arguments;
import dev.yangtuo.benchmarks.Checkout;
import dev.yangtuo.tokenizer.EncodeOptions;
import dev.yangtuo.tokenizer.PieceType;
import dev.yangtuo.tokenizer.Tokenizer;
import java.io.IOException;
import java.lang.ref.Reference;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.Set;

/**
 * What a tokenizer costs a program that has just started: the time from the beginning of {@code main} until it is loaded and until the
 * first text is encoded, each in a new JVM, and the heap that it keeps. JVMs get the options that the launcher {@code yangtuo} gives, and
 * the library's own jar.
 */
public final class TokenizerStart {
    private static final String TEXT = "春眠不觉晓，处处闻啼鸟。The quick brown fox jumps over 12 lazy dogs.";
    private static final String LOAD = "child-load";
    private static final String MEMORY = "child-memory";

    /** Seed of the random texts that fill the caches. */
    private static final long SEED = 42;

    /** Random texts that fill the caches, and pieces in each: 4 million pieces, far more than a bounded cache can be expected to hold. */
    private static final int TEXTS = 4_000;
    private static final int PIECES_IN_TEXT = 1000;

    private TokenizerStart() {}

    /**
     * Measures and prints Markdown.
     *
     * @param arguments {@code --model} a SentencePiece model, {@code --runs} how many JVMs
     * @throws IOException if a JVM cannot be started
     * @throws InterruptedException if waiting is interrupted
     */
    public static void main(String[] arguments) throws IOException, InterruptedException {
        long began = System.nanoTime();
        // Child processes first: nothing may come before what they time.
        if (arguments.length == 2 && arguments[0].equals(LOAD)) {
            load(Path.of(arguments[1]), began);
        } else if (arguments.length == 2 && arguments[0].equals(MEMORY)) {
            memory(Path.of(arguments[1]));
        } else {
            report(Arguments.parse(arguments, Set.of("--model", "--runs")));
        }
    }

    private static void report(Arguments arguments) throws IOException, InterruptedException {
        Path model = Checkout.file(arguments.option("--model", Checkout.DEMO_MODEL));
        int runs = arguments.count("--runs", 20);
        Times loaded = new Times();
        Times encoded = new Times();
        Times process = new Times();
        for (int run = -1; run < runs; run++) {
            long began = System.nanoTime();
            String[] nanos = child(LOAD, model).split(" ");
            long ended = System.nanoTime();
            if (run >= 0) { // the first one only brings the files into memory
                loaded.add(Long.parseLong(nanos[0]));
                encoded.add(Long.parseLong(nanos[1]));
                process.add(ended - began);
            }
        }
        System.out.printf("%s, %d new JVMs, each with one tokenizer%n%n", model.getFileName(), runs);
        System.out.println("| milliseconds | median | least | most |");
        System.out.println("| --- | ---: | ---: | ---: |");
        System.out.printf("| from the beginning of main to the loaded tokenizer | %s |%n", loaded.cells());
        System.out.printf("| from the beginning of main to the ids of a first text | %s |%n", encoded.cells());
        System.out.printf("| the whole process, from its start to its end | %s |%n", process.cells());
        String[] bytes = child(MEMORY, model).split(" ");
        System.out.println();
        System.out.println("| heap that a tokenizer keeps | MiB |");
        System.out.println("| --- | ---: |");
        System.out.printf("| loaded | %.2f |%n", Long.parseLong(bytes[0]) / (double) (1 << 20));
        System.out.printf("| after %d million random pieces, so that its caches are full | %.2f |%n",
                (long) TEXTS * PIECES_IN_TEXT / 1_000_000, Long.parseLong(bytes[1]) / (double) (1 << 20));
    }

    /** {@return what a new JVM prints} */
    private static String child(String task, Path model) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-XX:+UseSerialGC", "-XX:-UsePerfData", "-Xshare:auto",
                "-Dfile.encoding=UTF-8", "-Dstdin.encoding=UTF-8", "-Dstdout.encoding=UTF-8", "-Dstderr.encoding=UTF-8"));
        String more = System.getenv().getOrDefault("YANGTUO_JAVA_OPTS", "").strip();
        if (!more.isEmpty()) {
            Collections.addAll(command, more.split("\\s+"));
        }
        Collections.addAll(command, "-cp", System.getProperty("java.class.path"), TokenizerStart.class.getName(), task, model.toString());
        Process process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
        int exit = process.waitFor();
        if (exit != 0) {
            throw new IOException("%s ended with exit code %d".formatted(String.join(" ", command), exit));
        }
        return output;
    }

    private static void load(Path model, long began) {
        Tokenizer tokenizer = Tokenizer.load(model);
        long loaded = System.nanoTime();
        int[] ids = tokenizer.encode(TEXT);
        long encoded = System.nanoTime();
        if (ids.length == 0) {
            throw new IllegalStateException("no ids");
        }
        System.out.println((loaded - began) + " " + (encoded - began));
    }

    /** Prints the bytes that a tokenizer keeps, loaded and after much text. One came and went before: what its classes keep is not counted. */
    private static void memory(Path model) {
        fillCaches(Tokenizer.load(model), 1);
        long without = usedHeap();
        Tokenizer tokenizer = Tokenizer.load(model);
        long loaded = usedHeap();
        fillCaches(tokenizer, TEXTS);
        long filled = usedHeap();
        Reference.reachabilityFence(tokenizer);
        System.out.println((loaded - without) + " " + (filled - without));
    }

    /** Encodes pieces of the vocabulary in random order, which gives ever new neighbours, as characters and as bytes; nothing of it is kept. */
    private static void fillCaches(Tokenizer tokenizer, int texts) {
        List<String> pieces = new ArrayList<>();
        for (int id = 0; id < tokenizer.vocabSize(); id++) {
            if (tokenizer.type(id) == PieceType.NORMAL) {
                pieces.add(tokenizer.piece(id).replace('\u2581', ' '));
            }
        }
        Random random = new Random(SEED);
        for (int i = 0; i < texts; i++) {
            StringBuilder text = new StringBuilder();
            for (int piece = 0; piece < PIECES_IN_TEXT; piece++) {
                text.append(pieces.get(random.nextInt(pieces.size())));
            }
            if (i % 2 == 0) {
                tokenizer.encode(text);
            } else {
                tokenizer.encode(text.toString().getBytes(StandardCharsets.UTF_8), EncodeOptions.PLAIN);
            }
        }
    }

    /** The serial collector's full collection leaves nothing that is not reachable; the second one is for what references of the first let go. */
    private static long usedHeap() {
        System.gc();
        System.gc();
        return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
    }
}
