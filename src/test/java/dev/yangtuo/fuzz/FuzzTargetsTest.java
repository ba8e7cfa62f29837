package dev.yangtuo.fuzz;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import dev.yangtuo.fuzz.FuzzSeeds.Seeded;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Each fuzz target stands its seeds, its seeds damaged at random, and what fuzzing has found before ({@code src/test/resources/fuzz/TARGET}). */
class FuzzTargetsTest {
    private static final long SEED = 20_261_124;
    private static final int DAMAGED = 400;
    private static final Path FOUND = Path.of("src/test/resources/fuzz");
    /** Values that break lengths and signs more often than random ones do. */
    private static final byte[] INTERESTING = {0, 1, 2, 4, -1, Byte.MIN_VALUE, Byte.MAX_VALUE, '"', '{', '}', '[', ',', '9', '-', '.', '\\'};

    static Stream<String> targets() {
        return FuzzSeeds.all().keySet().stream();
    }

    @ParameterizedTest
    @MethodSource("targets")
    void endsNormallyOrWithOurException(String name) throws IOException {
        Seeded seeded = FuzzSeeds.all().get(name);
        assertThat(seeded.seeds()).isNotEmpty();
        for (byte[] seed : seeded.seeds()) {
            run(seeded, seed, "an undamaged seed");
            for (int i = 0; i < DAMAGED; i++) {
                run(seeded, damaged(seed, new Random(SEED + i)), "seed " + (SEED + i));
            }
        }
        for (Path found : found(name)) {
            run(seeded, Files.readAllBytes(found), found.toString());
        }
    }

    private static List<Path> found(String name) throws IOException {
        if (!Files.isDirectory(FOUND.resolve(name))) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(FOUND.resolve(name))) {
            return files.sorted().toList();
        }
    }

    private static void run(Seeded seeded, byte[] data, String what) {
        assertTimeoutPreemptively(Duration.ofSeconds(10), () -> seeded.target().accept(data), what);
    }

    /** Bytes changed, the end cut off, a part twice or a part missing. */
    private static byte[] damaged(byte[] whole, Random random) {
        byte[] bytes = whole.clone();
        for (int injuries = 1 + random.nextInt(4); injuries > 0; injuries--) {
            int at = random.nextInt(bytes.length);
            int length = Math.min(1 + random.nextInt(8), bytes.length - at);
            switch (random.nextInt(8)) {
                case 0, 1, 2 -> bytes[at] = INTERESTING[random.nextInt(INTERESTING.length)];
                case 3, 4 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
                case 5 -> bytes = joined(bytes, at, at + length);
                case 6 -> bytes = joined(bytes, at + length, at);
                default -> bytes = random.nextInt(4) == 0 && at > 0 ? Arrays.copyOf(bytes, at) : bytes;
            }
            if (bytes.length == 0) {
                return new byte[1];
            }
        }
        return bytes;
    }

    /** The bytes before {@code end}, then those from {@code start} on: a gap, or a part twice. */
    private static byte[] joined(byte[] bytes, int end, int start) {
        byte[] result = Arrays.copyOf(bytes, end + bytes.length - start);
        System.arraycopy(bytes, start, result, end, bytes.length - start);
        return result;
    }
}
