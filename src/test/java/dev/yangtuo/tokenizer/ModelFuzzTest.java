package dev.yangtuo.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import dev.yangtuo.exception.TokenizerFormatException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Real model files damaged at random give a tokenizer that works or a clear exception, soon. {@code -Dyangtuo.fuzz.count=N} damages each file more
 * often, {@code -Dyangtuo.fuzz.seed=N} differently.
 */
class ModelFuzzTest {
    private static final int COUNT = Integer.getInteger("yangtuo.fuzz.count", 120);
    private static final long SEED = Long.getLong("yangtuo.fuzz.seed", 1);
    private static final String TEXT = "  Once upon a time，春眠不觉晓 ﬃ㎡😀\0</s>你好<x y>\uFFFD aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa  ".repeat(3);

    private static Stream<Path> models() {
        return Stream.concat(Stream.of(TestModels.DEMO_BASE),
                Stream.of("bpe-nfkc", "bpe-nmt-nfkc-cf", "bpe-identity", "unigram-nfkc-cf", "unigram-suffix", "unigram-rules").map(TestModels::made));
    }

    @ParameterizedTest
    @MethodSource("models")
    void damagedFiles(Path model) throws IOException {
        byte[] whole = Files.readAllBytes(model);
        for (int i = 0; i < COUNT; i++) {
            long seed = SEED * 1_000_003 + i;
            byte[] damaged = damage(whole, new Random(seed));
            // Nothing takes seconds; the limit leaves room for a busy machine.
            assertTimeoutPreemptively(Duration.ofSeconds(60), () -> use(damaged, seed), () -> model + ", seed " + seed);
        }
    }

    private static void use(byte[] damaged, long seed) {
        try {
            Tokenizer tokenizer = Tokenizer.of(SentencePieceModel.parse(TestModels.MADE, damaged));
            int[] ids = tokenizer.encode(TEXT);
            tokenizer.decode(ids);
            tokenizer.encodeAsTokens(TEXT, EncodeOptions.PLAIN.withParseSpecial(true));
            tokenizer.sample(TEXT, 0.5, new Random(seed));
        } catch (TokenizerFormatException expected) {
            assertThat(expected.getMessage()).as("seed %d", seed).startsWith("made.model: ");
        } catch (RuntimeException | StackOverflowError | OutOfMemoryError e) {
            throw new AssertionError("seed " + seed, e);
        }
    }

    /** One to four injuries: bytes changed, removed, doubled, zeroed, set to the ends of their range, or the end cut off. */
    private static byte[] damage(byte[] whole, Random random) {
        byte[] damaged = whole.clone();
        for (int i = random.nextInt(4); i >= 0 && damaged.length > 8; i--) {
            // Where fields are dense: at both ends and in the middle alike.
            int at = switch (random.nextInt(3)) {
                case 0 -> random.nextInt(Math.min(512, damaged.length));
                case 1 -> damaged.length - 1 - random.nextInt(Math.min(512, damaged.length));
                default -> random.nextInt(damaged.length);
            };
            int length = Math.min(1 + random.nextInt(8), damaged.length - at);
            switch (random.nextInt(7)) {
                case 0, 1 -> damaged[at] = (byte) random.nextInt(256);
                case 2 -> damaged[at] ^= (byte) (1 << random.nextInt(8));
                case 3 -> damaged = joined(damaged, at, at + length);
                case 4 -> damaged = joined(damaged, at + length, at);
                case 5 -> Arrays.fill(damaged, at, at + length, (byte) (random.nextBoolean() ? 0 : -1));
                default -> damaged = random.nextInt(4) == 0 ? Arrays.copyOf(damaged, at) : damaged;
            }
        }
        return damaged;
    }

    /** The bytes before {@code end}, then those from {@code start} on: a gap, or a part twice. */
    private static byte[] joined(byte[] bytes, int end, int start) {
        byte[] result = Arrays.copyOf(bytes, end + bytes.length - start);
        System.arraycopy(bytes, start, result, end, bytes.length - start);
        return result;
    }
}
