package dev.yangtuo.benchmarks.tokenizer;

import dev.yangtuo.benchmarks.Arguments;
import dev.yangtuo.benchmarks.Checkout;
import dev.yangtuo.tokenizer.EncodeOptions;
import dev.yangtuo.tokenizer.Tokenizer;
import java.io.BufferedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;

/**
 * SentencePiece's own program {@code spm_encode} against this library, in one thread each, on the same large files. The program is timed as
 * a whole process, less the time that it takes for an empty file, which is that of its start and of loading the model. Ours is timed twice,
 * in a warm JVM: encoding alone, text in memory to ids in memory; and the whole job that the program does, a file's bytes to ids written in
 * digits. All of them take turns, so that a machine that slows down slows all of them.
 */
public final class SpmComparison {
    private static final long MIB = 1 << 20;

    /** Long enough for HotSpot to compile everything, whatever the machine. */
    private static final long WARM_UP_NANOS = 10_000_000_000L;

    private final Path spmEncode;
    private final Path model;
    private final Tokenizer tokenizer;
    private final Path folder;

    private SpmComparison(Path spmEncode, Path model, Path folder) {
        this.spmEncode = spmEncode;
        this.model = model;
        this.tokenizer = Tokenizer.load(model);
        this.folder = folder;
    }

    /**
     * Measures and prints Markdown.
     *
     * @param arguments {@code --spm} the program, {@code --model} a SentencePiece model, {@code --mib} how large files are made,
     *     {@code --rounds} how often each is timed; then corpora, as {@link Corpus#of} takes them
     * @throws IOException if files cannot be written or the program fails
     * @throws InterruptedException if waiting for the program is interrupted
     */
    public static void main(String[] arguments) throws IOException, InterruptedException {
        Arguments parsed = Arguments.parse(arguments, Set.of("--spm", "--model", "--mib", "--rounds"));
        Path spmEncode = find(parsed.option("--spm", "spm_encode"));
        Path folder = Files.createTempDirectory("yangtuo-spm");
        try {
            SpmComparison comparison = new SpmComparison(spmEncode, Checkout.file(parsed.option("--model", Checkout.DEMO_MODEL)), folder);
            comparison.report(parsed.operands().isEmpty() ? Corpus.NAMES : parsed.operands(), parsed.count("--mib", 32) * MIB,
                    parsed.count("--rounds", 5));
        } finally {
            for (Path file : List.of(folder.resolve("empty"), folder.resolve("text"))) {
                Files.deleteIfExists(file);
            }
            Files.delete(folder);
        }
    }

    /** {@return the program: the file of that name, or one with that name in a folder of the PATH} */
    private static Path find(String name) {
        if (name.contains(File.separator)) {
            Path file = Path.of(name).toAbsolutePath();
            if (Files.isExecutable(file)) {
                return file;
            }
        } else {
            for (String folder : System.getenv().getOrDefault("PATH", "").split(File.pathSeparator)) {
                Path file = Path.of(folder, name).toAbsolutePath();
                if (!folder.isEmpty() && Files.isExecutable(file)) {
                    return file;
                }
            }
        }
        System.err.printf("%s was not found. It is part of SentencePiece: Debian and Ubuntu have it in the package sentencepiece%n"
                + "(apt-get install sentencepiece); a program elsewhere is named by --spm PATH.%n", name);
        System.exit(1);
        throw new AssertionError();
    }

    private void report(List<String> corpora, long size, int rounds) throws IOException, InterruptedException {
        Files.write(folder.resolve("empty"), new byte[0]);
        System.out.printf("%s, %s, one thread each, medians of %d rounds%n%n", spmEncode, model, rounds);
        System.out.println("| corpus | MB | spm_encode starts in ms | spm_encode MB/s | yangtuo, ids in memory, MB/s | times as fast "
                + "| yangtuo, ids as digits, MB/s | times as fast |");
        System.out.println("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
        for (String corpus : corpora) {
            String text = String.join("\n", Corpus.of(corpus).lines()) + "\n"; // a last line that has no end gets one
            byte[] once = text.getBytes(StandardCharsets.UTF_8);
            verify(corpus, once);
            compare(corpus, repeated(once, size), rounds);
        }
    }

    /** Whole repetitions, so that each line is a line of the corpus. */
    private static byte[] repeated(byte[] bytes, long size) {
        int times = Math.toIntExact(Math.max(1, size / bytes.length));
        byte[] all = new byte[Math.multiplyExact(times, bytes.length)];
        for (int i = 0; i < times; i++) {
            System.arraycopy(bytes, 0, all, i * bytes.length, bytes.length);
        }
        return all;
    }

    /**
     * Compares all that the two print.
     *
     * @throws IllegalStateException if one byte differs
     */
    private void verify(String corpus, byte[] text) throws IOException, InterruptedException {
        Path file = folder.resolve("text");
        Files.write(file, text);
        Process process = spmEncode(file).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        byte[] expected = process.getInputStream().readAllBytes();
        requireSuccess(process);
        ByteArrayOutputStream actual = new ByteArrayOutputStream();
        writeIds(text, actual);
        int at = Arrays.mismatch(expected, actual.toByteArray());
        if (at >= 0) {
            throw new IllegalStateException("%s: from byte %d on, what %s prints is not what this library prints".formatted(corpus, at, spmEncode));
        }
    }

    private void compare(String corpus, byte[] text, int rounds) throws IOException, InterruptedException {
        Path file = folder.resolve("text");
        Files.write(file, text);
        List<String> lines = new Corpus(corpus, new String(text, StandardCharsets.UTF_8)).lines();
        warmUp(lines.subList(0, Math.min(lines.size(), 10_000)));
        Times start = new Times();
        Times whole = new Times();
        Times inMemory = new Times();
        Times asDigits = new Times();
        for (int round = 0; round < rounds; round++) {
            System.err.printf("%s: round %d of %d%n", corpus, round + 1, rounds);
            start.add(time(() -> run(folder.resolve("empty"))));
            whole.add(time(() -> run(file)));
            inMemory.add(time(() -> encode(lines)));
            asDigits.add(time(() -> writeIds(Files.readAllBytes(file), OutputStream.nullOutputStream())));
        }
        double theirs = text.length * 1e3 / (whole.medianNanos() - start.medianNanos());
        double ours = text.length * 1e3 / inMemory.medianNanos();
        double oursAsDigits = text.length * 1e3 / asDigits.medianNanos();
        System.out.printf("| %s | %.1f | %.0f | %.2f | %.2f | %.1f | %.2f | %.1f |%n", corpus, text.length / 1e6, start.medianNanos() / 1e6,
                theirs, ours, ours / theirs, oursAsDigits, oursAsDigits / theirs);
    }

    private void warmUp(List<String> lines) throws IOException {
        byte[] text = (String.join("\n", lines) + "\n").getBytes(StandardCharsets.UTF_8);
        for (long began = System.nanoTime(); System.nanoTime() - began < WARM_UP_NANOS; ) {
            encode(lines);
            writeIds(text, OutputStream.nullOutputStream());
        }
    }

    /** Something to time. */
    @FunctionalInterface
    private interface Work {
        void run() throws IOException, InterruptedException;
    }

    private static long time(Work work) throws IOException, InterruptedException {
        long began = System.nanoTime();
        work.run();
        return System.nanoTime() - began;
    }

    /** Text of a file on its standard input, ids in digits on its standard output. */
    private ProcessBuilder spmEncode(Path text) {
        return new ProcessBuilder(spmEncode.toString(), "--model=" + model, "--output_format=id").redirectInput(text.toFile());
    }

    private void run(Path text) throws IOException, InterruptedException {
        Process process = spmEncode(text).redirectOutput(ProcessBuilder.Redirect.DISCARD).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        requireSuccess(process);
    }

    private void requireSuccess(Process process) throws IOException, InterruptedException {
        int exit = process.waitFor();
        if (exit != 0) {
            throw new IOException("%s ended with exit code %d".formatted(spmEncode, exit));
        }
    }

    /** Looks at every id, so that nothing can be left out because nobody needs it. */
    private void encode(List<String> lines) {
        long sum = 0;
        for (String line : lines) {
            for (int id : tokenizer.encode(line)) {
                sum += id;
            }
        }
        if (sum == 0) {
            throw new IllegalStateException("no ids but 0");
        }
    }

    /** What the program does with {@code --output_format=id}: the ids of each line, blanks between them, a line feed after them. */
    private void writeIds(byte[] text, OutputStream to) throws IOException {
        try (OutputStream out = new BufferedOutputStream(to, 1 << 16)) {
            byte[] digits = new byte[10];
            int end;
            for (int start = 0; start < text.length; start = end + 1) {
                for (end = start; end < text.length && text[end] != '\n'; end++) {}
                int[] ids = tokenizer.encode(Arrays.copyOfRange(text, start, end), EncodeOptions.PLAIN);
                for (int i = 0; i < ids.length; i++) {
                    if (i > 0) {
                        out.write(' ');
                    }
                    int first = digits.length;
                    for (int left = ids[i]; first == digits.length || left > 0; left /= 10) {
                        digits[--first] = (byte) ('0' + left % 10);
                    }
                    out.write(digits, first, digits.length - first);
                }
                out.write('\n');
            }
        }
    }
}
