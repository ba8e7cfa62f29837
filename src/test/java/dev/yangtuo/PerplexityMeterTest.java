package dev.yangtuo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.yangtuo.exception.YangtuoException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Which tokens are scored and how, against the definition written down once more with {@link Llama#logits}. */
class PerplexityMeterTest {
    private static final String SENTENCE = "In the beginning 白日依山尽 God created the heaven and the earth.\n";
    private static final PerplexityOptions DEFAULTS = PerplexityOptions.defaults();

    private static Llama llama;

    @BeforeAll
    static void load() {
        llama = Llama.load(ModelFolders.tiny("base"), LoadOptions.defaults().maxSequences(1));
    }

    @AfterAll
    static void close() {
        llama.close();
    }

    /** The windows, each with the beginning of sequence, and the first position whose next token is scored. */
    private record Textbook(List<int[]> windows, int first) {
        static Textbook of(PerplexityMethod method, String text, int context) {
            boolean llamaCpp = method == PerplexityMethod.LLAMA_CPP;
            int[] ids = llama.tokenizer().encode(llamaCpp && text.endsWith("\n") ? text.substring(0, text.length() - 1) : text);
            int bos = llama.tokenizer().bosId();
            List<int[]> windows = new ArrayList<>();
            if (!llamaCpp) {
                for (int start = 0; start < ids.length; start += context - 1) {
                    int[] part = Arrays.copyOfRange(ids, start, Math.min(ids.length, start + context - 1));
                    windows.add(IntStream.concat(IntStream.of(bos), Arrays.stream(part)).toArray());
                }
                return new Textbook(windows, 0);
            }
            int[] withBos = IntStream.concat(IntStream.of(bos), Arrays.stream(ids)).toArray();
            for (int start = 0; start + context <= withBos.length; start += context) {
                int[] part = Arrays.copyOfRange(withBos, start, start + context);
                part[0] = bos;
                windows.add(part);
            }
            return new Textbook(windows, context / 2);
        }

        List<Double> nats() {
            List<Double> nats = new ArrayList<>();
            for (int[] window : windows) {
                llama.logits(window, (position, logits, offset) -> {
                    if (position >= first && position < window.length - 1) {
                        nats.add(natsOf(logits, offset, window[position + 1]));
                    }
                });
            }
            return nats;
        }
    }

    private static double natsOf(float[] logits, int offset, int id) {
        double sum = IntStream.range(0, llama.vocabSize()).mapToDouble(i -> Math.exp(logits[offset + i])).sum();
        return Math.log(sum) - logits[offset + id];
    }

    @ParameterizedTest
    @CsvSource({
        "WINDOWS, 3, 1", "WINDOWS, 16, 3", "WINDOWS, 17, 5", "WINDOWS, 100, 1", "WINDOWS, 256, 14",
        "LLAMA_CPP, 3, 1", "LLAMA_CPP, 16, 3", "LLAMA_CPP, 17, 5", "LLAMA_CPP, 256, 19",
    })
    void scoresAreThoseOfTheDefinition(PerplexityMethod method, int context, int sentences) {
        String text = SENTENCE.repeat(sentences);
        Textbook textbook = Textbook.of(method, text, context);
        List<Double> expected = textbook.nats();
        Perplexity actual = llama.perplexity(text, DEFAULTS.method(method).context(context));
        assertThat(actual.windows()).isEqualTo(textbook.windows().size());
        assertThat(actual.tokens()).isEqualTo(expected.size());
        assertThat(actual.nats()).isCloseTo(expected.stream().mapToDouble(x -> x).sum(), within(1e-9 * actual.nats()));
        assertThat(actual.squaredNats()).isCloseTo(expected.stream().mapToDouble(x -> x * x).sum(), within(1e-9 * actual.squaredNats()));
        if (method == PerplexityMethod.WINDOWS) {
            assertThat(actual.tokens()).isEqualTo(actual.textTokens());
            assertThat(actual.textBytes()).isEqualTo(text.getBytes(StandardCharsets.UTF_8).length);
            assertThat(actual.textCharacters()).isEqualTo(text.codePointCount(0, text.length()));
        }
    }

    /** llama.cpp's programs neither add nor replace a token then. */
    @Test
    void modelsThatExpectNoBeginningOfSequenceGetNone(@TempDir Path folder) throws IOException {
        try (Stream<Path> files = Files.list(ModelFolders.tiny("base"))) {
            for (Path file : files.toList()) {
                Files.copy(file, folder.resolve(file.getFileName()));
            }
        }
        Files.writeString(folder.resolve("tokenizer_config.json"), "{\"add_bos_token\": false}");
        int[] ids = llama.tokenizer().encode(SENTENCE.strip());
        double[] nats = {0};
        for (int start = 0; start + 8 <= ids.length; start += 8) {
            int[] window = Arrays.copyOfRange(ids, start, start + 8);
            llama.logits(window, (position, logits, offset) -> nats[0] += position < 4 || position == 7 ? 0 : natsOf(logits, offset, window[position + 1]));
        }
        try (Llama without = Llama.load(folder)) {
            Perplexity actual = without.perplexity(SENTENCE, DEFAULTS.method(PerplexityMethod.LLAMA_CPP).context(8));
            assertThat(actual.windows()).isEqualTo(ids.length / 8);
            assertThat(actual.nats()).isCloseTo(nats[0], within(1e-9 * nats[0]));
        }
    }

    /** Windows that several forward passes are needed for; the demonstration model takes 512 tokens. */
    @Test
    void windowsLongerThanAForwardPassAreScoredWhole() {
        try (Llama demo = Llama.load(ModelFolders.DEMO.resolve("base"))) {
            String text = SENTENCE.repeat(25);
            int[] ids = demo.tokenizer().encode(text);
            int[] window = new int[500];
            window[0] = demo.tokenizer().bosId();
            System.arraycopy(ids, 0, window, 1, 499);
            double[] nats = {0};
            demo.logits(window, (position, logits, offset) -> {
                nats[0] += position < 499 ? natsOf(logits, offset, window[position + 1]) : 0; // both models have 3,000 pieces
            });
            List<Perplexity> reports = new ArrayList<>();
            demo.perplexity(text, DEFAULTS.context(500).onProgress(reports::add));
            assertThat(reports.getFirst().tokens()).isEqualTo(499);
            assertThat(reports.getFirst().nats()).isCloseTo(nats[0], within(1e-9 * nats[0]));
        }
    }

    /** Gives its bytes one by one, so that characters and the last line feed are cut from what is before them. */
    private static InputStream oneByOne(String text) {
        return new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)) {
            @Override
            public synchronized int read(byte[] target, int offset, int length) {
                return super.read(target, offset, Math.min(1, length));
            }
        };
    }

    @ParameterizedTest
    @EnumSource
    void howTheTextArrivesDoesNotMatter(PerplexityMethod method) throws IOException {
        PerplexityOptions options = DEFAULTS.method(method).context(20);
        for (String text : List.of(SENTENCE.repeat(4), SENTENCE.repeat(4) + "\n", SENTENCE.repeat(4) + "end")) {
            assertThat(llama.perplexity(oneByOne(text), options)).isEqualTo(llama.perplexity(text, options));
        }
    }

    @Test
    void aLineFeedAtTheEndCountsForOneMethod() {
        String text = SENTENCE.repeat(3);
        String without = text.substring(0, text.length() - 1);
        PerplexityOptions llamaCpp = DEFAULTS.method(PerplexityMethod.LLAMA_CPP).context(16);
        assertThat(llama.perplexity(text, llamaCpp)).isEqualTo(llama.perplexity(without, llamaCpp));
        assertThat(llama.perplexity(text, DEFAULTS).tokens()).isGreaterThan(llama.perplexity(without, DEFAULTS).tokens());
    }

    @Test
    void contextIs256OrTheModels() {
        assertThat(llama.perplexity(SENTENCE, DEFAULTS).context()).isEqualTo(256);
        try (Llama shorter = Llama.load(ModelFolders.tiny("base"), LoadOptions.defaults().context(64))) {
            assertThat(shorter.perplexity(SENTENCE, DEFAULTS).context()).isEqualTo(64);
        }
    }

    @Test
    void aModelWithTooShortAContextIsRefused() {
        try (Llama shorter = Llama.load(ModelFolders.tiny("base"), LoadOptions.defaults().context(2))) {
            assertThatThrownBy(() -> shorter.perplexity(SENTENCE, DEFAULTS)).isInstanceOf(IllegalArgumentException.class).hasMessageContaining("context of 2 is too short");
        }
    }

    @Test
    void textsThatAreTooShortAreRefused() {
        for (PerplexityMethod method : PerplexityMethod.values()) {
            assertThatThrownBy(() -> llama.perplexity("", DEFAULTS.method(method)))
                    .isInstanceOf(YangtuoException.class).hasMessageContaining("the text is empty");
        }
        int[] ids = llama.tokenizer().encode(SENTENCE.strip());
        int context = ids.length / 2 + 1;
        assertThatThrownBy(() -> llama.perplexity(SENTENCE.strip(), DEFAULTS.method(PerplexityMethod.LLAMA_CPP).context(context)))
                .isInstanceOf(YangtuoException.class)
                .hasMessageContaining("the text has %d tokens".formatted(ids.length + 1), "context of %d needs %d".formatted(context, 2 * context));
    }

    @Test
    void contextsThatTheModelCannotTakeAreRefused() {
        assertThatThrownBy(() -> llama.perplexity(SENTENCE, DEFAULTS.context(257)))
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("257", "context of 256");
        assertThatThrownBy(() -> DEFAULTS.context(2)).isInstanceOf(IllegalArgumentException.class).hasMessageContaining("context is 2");
    }

    @Test
    void progressIsToldAfterEachWindowAndMayEndItOrUseTheModel() {
        List<Perplexity> reports = new ArrayList<>();
        Perplexity last = llama.perplexity(SENTENCE.repeat(4), DEFAULTS.context(16).onProgress(soFar -> {
            reports.add(soFar);
            llama.logits(new int[] {1, 2}, (position, logits, offset) -> {}); // the only sequence is free between windows
        }));
        assertThat(reports).hasSize(last.windows()).last().isEqualTo(last);
        assertThat(reports.getFirst().tokens()).isEqualTo(15);
        assertThatThrownBy(() -> llama.perplexity(SENTENCE.repeat(4), DEFAULTS.context(16).onProgress(soFar -> {
            throw new IllegalStateException("enough");
        }))).hasMessage("enough");
        assertThat(llama.perplexity(SENTENCE.repeat(4), DEFAULTS.context(16))).isEqualTo(last);
    }

    @Test
    void anUnreadableTextIsNotAShortOne() {
        InputStream broken = new InputStream() {
            @Override
            public int read() throws IOException {
                throw new IOException("gone");
            }
        };
        assertThatThrownBy(() -> llama.perplexity(broken, DEFAULTS)).isInstanceOf(IOException.class).hasMessage("gone");
    }

    @Test
    void aClosedModelSaysSo() {
        Llama closed = Llama.load(ModelFolders.tiny("base"));
        closed.close();
        assertThatThrownBy(() -> closed.perplexity(SENTENCE, DEFAULTS)).isInstanceOf(IllegalStateException.class).hasMessageContaining("closed");
    }

    /** Four tokens of 1, 2, 3 and 4 nats: mean 2.5, variance 1.25, standard error of the mean sqrt(1.25 / 3). */
    @Test
    void figuresFollowFromTheSums() {
        Perplexity four = new Perplexity(PerplexityMethod.WINDOWS, 256, 1, 4, 10, 30, 4, 8, 16);
        assertThat(four.value()).isCloseTo(Math.exp(2.5), within(1e-12));
        assertThat(four.standardError()).isCloseTo(Math.exp(2.5) * Math.sqrt(1.25 / 3), within(1e-12));
        assertThat(four.natsPerCharacter()).isCloseTo(1.25, within(1e-12));
        assertThat(four.natsPerByte()).isCloseTo(0.625, within(1e-12));
        assertThat(four.bitsPerToken()).isCloseTo(2.5 / Math.log(2), within(1e-12));
        assertThat(four.bitsPerByte()).isCloseTo(0.625 / Math.log(2), within(1e-12));
        assertThat(new Perplexity(PerplexityMethod.WINDOWS, 256, 1, 1, 2, 4, 1, 1, 1).standardError()).isNaN();
    }
}
