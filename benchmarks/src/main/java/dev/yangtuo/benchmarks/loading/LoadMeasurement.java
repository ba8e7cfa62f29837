package dev.yangtuo.benchmarks.loading;

import dev.yangtuo.Llama;
import dev.yangtuo.LoadOptions;
import dev.yangtuo.WeightType;
import dev.yangtuo.benchmarks.Arguments;
import dev.yangtuo.benchmarks.Checkout;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Loads a synthetic model with its adapter in new JVMs that are given no options, and reports time and peak anonymous memory next to the bound that
 * the library promises: the finished weights, 1.2 times the largest matrix in float32, and 256 MB. Linux only: memory is read from {@code /proc}.
 */
public final class LoadMeasurement {
    private static final String CHILD = "child";
    private static final long POLL_MILLIS = 20;
    private static final double MATRIX_SHARE = 1.2;
    private static final long JVM_BYTES = 256L << 20;

    private LoadMeasurement() {}

    private record Measured(double seconds, long weightBytes, long peakBytes) {}

    /**
     * Measures and prints Markdown.
     *
     * @param arguments {@code --model} a directory that {@code SyntheticModel} made; {@code --types} separated by commas, q8_0,q4_0,q4_k_m unless
     *     given; {@code --runs} of each, 2 unless given
     * @throws IOException if a file cannot be read or a JVM cannot be started
     * @throws InterruptedException if waiting is interrupted
     */
    public static void main(String[] arguments) throws IOException, InterruptedException {
        if (arguments.length == 3 && arguments[0].equals(CHILD)) {
            load(Path.of(arguments[1]), arguments[2]);
        } else {
            report(Arguments.parse(arguments, Set.of("--model", "--types", "--runs")));
        }
    }

    private static void load(Path model, String type) {
        LoadOptions options = LoadOptions.defaults().lora(model.resolve("lora")).quantize(WeightType.of(type));
        try (Llama llama = Llama.load(model.resolve("base"), options)) {
            System.out.printf(Locale.ROOT, "%.3f %d%n", llama.report().time().toNanos() / 1e9, llama.report().weightBytes());
        }
    }

    private static void report(Arguments arguments) throws IOException, InterruptedException {
        Path model = Path.of(arguments.option("--model", Checkout.target("synthetic-7b").toString()));
        if (!Files.isDirectory(model.resolve("base"))) {
            throw new IllegalArgumentException("%s: there is no model; make it with benchmarks/synthetic".formatted(model));
        }
        long largest = largestMatrix(model.resolve("base/model.safetensors"));
        readThrough(model);
        System.out.println("| type | seconds | weights, MB | peak anonymous memory, MB | bound, MB |");
        System.out.println("| --- | ---: | ---: | ---: | ---: |");
        for (String type : arguments.option("--types", "q8_0,q4_0,q4_k_m").split(",")) {
            for (int run = 0; run < arguments.count("--runs", 2); run++) {
                Measured measured = measure(model, type);
                double bound = measured.weightBytes + MATRIX_SHARE * largest + JVM_BYTES;
                System.out.printf(Locale.ROOT, "| %s | %.1f | %.0f | %.0f | %.0f |%n",
                        type, measured.seconds, measured.weightBytes / 1e6, measured.peakBytes / 1e6, bound / 1e6);
                if (measured.peakBytes > bound) {
                    throw new IllegalStateException("the peak is above the bound");
                }
            }
        }
    }

    /** Bytes of the largest matrix in float32, by the shapes in the header: the file holds F16. */
    private static long largestMatrix(Path file) throws IOException {
        try (var in = Files.newInputStream(file)) {
            long length = ByteBuffer.wrap(in.readNBytes(8)).order(ByteOrder.LITTLE_ENDIAN).getLong();
            String header = new String(in.readNBytes((int) length), StandardCharsets.UTF_8);
            return Pattern.compile("\"data_offsets\":\\s*\\[(\\d+),\\s*(\\d+)\\]").matcher(header).results()
                    .mapToLong(match -> 2 * (Long.parseLong(match.group(2)) - Long.parseLong(match.group(1))))
                    .max().orElseThrow();
        }
    }

    /** Brings the files into the page cache as far as it goes, so that the first run does not wait for the disk alone. */
    private static void readThrough(Path model) throws IOException {
        byte[] buffer = new byte[1 << 20];
        for (String name : List.of("lora/adapter_model.safetensors", "base/model.safetensors")) {
            try (var in = Files.newInputStream(model.resolve(name))) {
                while (in.read(buffer) >= 0) {
                    // only read
                }
            }
        }
    }

    private static Measured measure(Path model, String type) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(), "--enable-native-access=ALL-UNNAMED", "-cp", System.getProperty("java.class.path")));
        Stream.of(LoadMeasurement.class.getName(), CHILD, model.toString(), type).forEach(command::add);
        Process process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        Path status = Path.of("/proc", Long.toString(process.pid()), "status");
        long peak = 0;
        while (process.isAlive()) {
            peak = Math.max(peak, anonymousBytes(status));
            Thread.sleep(POLL_MILLIS);
        }
        String[] output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip().split(" ");
        if (process.exitValue() != 0 || output.length != 2) {
            throw new IllegalStateException("loading %s as %s failed".formatted(model, type));
        }
        return new Measured(Double.parseDouble(output[0]), Long.parseLong(output[1]), peak);
    }

    private static long anonymousBytes(Path status) {
        try (Stream<String> lines = Files.lines(status)) {
            return lines.filter(line -> line.startsWith("RssAnon:"))
                    .mapToLong(line -> 1024 * Long.parseLong(line.replaceAll("\\D", "")))
                    .findFirst().orElse(0);
        } catch (IOException | UncheckedIOException e) {
            return 0; // the process has just ended
        }
    }
}
