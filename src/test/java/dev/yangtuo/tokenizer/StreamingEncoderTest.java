package dev.yangtuo.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A text in parts has the ids of the whole text. */
class StreamingEncoderTest {
    private static Stream<Path> models() {
        return Stream.concat(Stream.of(TestModels.DEMO_CHINESE),
                Stream.of("bpe-nfkc", "bpe-nmt-nfkc-cf", "bpe-identity", "unigram-nfkc-cf", "unigram-suffix", "unigram-rules").map(TestModels::made));
    }

    /** Ids that come in parts. */
    private static final class Collected implements IdConsumer {
        private final List<Integer> ids = new ArrayList<>();

        @Override
        public void accept(int[] part, int count) {
            assertThat(count).isPositive();
            Arrays.stream(part, 0, count).forEach(ids::add);
        }

        int[] ids() {
            return ids.stream().mapToInt(Integer::intValue).toArray();
        }
    }

    @ParameterizedTest
    @MethodSource("models")
    void cutAnywhere(Path model) {
        Tokenizer tokenizer = Tokenizer.load(model);
        RandomTexts texts = new RandomTexts(tokenizer.model().vocabulary());
        for (long seed = 0; seed < 600; seed++) {
            Random random = new Random(seed);
            StringBuilder text = new StringBuilder();
            for (int i = random.nextInt(seed % 50 == 0 ? 400 : 3); i >= 0; i--) {
                text.append(texts.next(random));
            }
            if (random.nextInt(4) == 0) {
                text.insert(random.nextInt(text.length() + 1), '\uD83D');
            }
            int[] expected = tokenizer.encode(text, EncodeOptions.BOS.withEos(true));
            assertThat(inChars(tokenizer, text, random)).as("seed %d, in chars: %s", seed, text).containsExactly(expected);

            byte[] utf8 = text.toString().getBytes(StandardCharsets.UTF_8);
            for (int i = random.nextInt(3); i > 0 && utf8.length > 0; i--) {
                utf8[random.nextInt(utf8.length)] = (byte) random.nextInt(256);
            }
            int[] expectedOfBytes = tokenizer.encode(utf8, EncodeOptions.BOS.withEos(true));
            assertThat(inBytes(tokenizer, utf8, random)).as("seed %d, in bytes: %s", seed, text).containsExactly(expectedOfBytes);
        }
    }

    private static int[] inChars(Tokenizer tokenizer, CharSequence text, Random random) {
        Collected collected = new Collected();
        StreamingEncoder encoder = tokenizer.streamingEncoder(EncodeOptions.BOS.withEos(true), collected);
        for (int from = 0; from < text.length(); ) {
            int to = Math.min(text.length(), from + random.nextInt(random.nextBoolean() ? 3 : 300));
            encoder.append(text.subSequence(from, to));
            from = to;
        }
        encoder.finish();
        return collected.ids();
    }

    private static int[] inBytes(Tokenizer tokenizer, byte[] utf8, Random random) {
        Collected collected = new Collected();
        StreamingEncoder encoder = tokenizer.streamingEncoder(EncodeOptions.BOS.withEos(true), collected);
        for (int from = 0; from < utf8.length; ) {
            int to = Math.min(utf8.length, from + random.nextInt(random.nextBoolean() ? 3 : 300));
            encoder.append(utf8, from, to);
            from = to;
        }
        encoder.finish();
        return collected.ids();
    }

    @Test
    void anEmptyTextHasNoIdsButThoseAskedFor() {
        Tokenizer tokenizer = Tokenizer.load(TestModels.DEMO_CHINESE);
        Collected collected = new Collected();
        tokenizer.streamingEncoder(EncodeOptions.PLAIN, collected).finish();
        assertThat(collected.ids()).isEmpty();
        StreamingEncoder framed = tokenizer.streamingEncoder(EncodeOptions.BOS.withEos(true), collected);
        framed.append("");
        framed.append(new byte[3], 1, 1);
        framed.finish();
        assertThat(collected.ids()).containsExactly(1, 2);
    }

    @Test
    void idsComeWhileTheTextGoesOn() {
        Tokenizer tokenizer = Tokenizer.load(TestModels.DEMO_CHINESE);
        Collected collected = new Collected();
        StreamingEncoder encoder = tokenizer.streamingEncoder(EncodeOptions.PLAIN, collected);
        encoder.append("床前明月光，疑是地上霜。".repeat(100));
        assertThat(collected.ids()).hasSizeGreaterThan(500);
    }

    @Test
    void charsAndBytesInTurn() {
        Tokenizer tokenizer = Tokenizer.load(TestModels.DEMO_CHINESE);
        Collected collected = new Collected();
        StreamingEncoder encoder = tokenizer.streamingEncoder(EncodeOptions.PLAIN, collected);
        encoder.append("a\uD83D");
        encoder.append(new byte[] {(byte) 0xE4, (byte) 0xBD}, 0, 2);
        encoder.append("b");
        encoder.finish();
        assertThat(collected.ids()).containsExactly(tokenizer.encode("a\uFFFD\uFFFD\uFFFDb"));
    }

    @Test
    void nothingFollowsTheEnd() {
        StreamingEncoder encoder = Tokenizer.load(TestModels.DEMO_CHINESE).streamingEncoder(EncodeOptions.PLAIN, (ids, count) -> { });
        encoder.finish();
        assertThatThrownBy(() -> encoder.append("a")).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> encoder.append(new byte[1], 0, 1)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(encoder::finish).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void whatNeedsTheWholeTextIsRefused() {
        Tokenizer tokenizer = Tokenizer.load(TestModels.DEMO_CHINESE);
        assertThatThrownBy(() -> tokenizer.streamingEncoder(EncodeOptions.PLAIN.withReverse(true), (ids, count) -> { }))
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("encode it whole");
        assertThatThrownBy(() -> tokenizer.streamingEncoder(EncodeOptions.PLAIN.withParseSpecial(true), (ids, count) -> { }))
                .isInstanceOf(IllegalArgumentException.class);
    }
}
