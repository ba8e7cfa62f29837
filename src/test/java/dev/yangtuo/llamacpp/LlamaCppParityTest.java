package dev.yangtuo.llamacpp;

import static org.assertj.core.api.Assertions.assertThat;

import dev.yangtuo.Engine;
import dev.yangtuo.Llama;
import dev.yangtuo.LoadOptions;
import dev.yangtuo.ModelFolders;
import dev.yangtuo.WeightType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class LlamaCppParityTest {
    private static final LoadOptions OPTIONS = LoadOptions.defaults().threads(1).maxSequences(1).context(256);

    @TempDir
    private static Path folder;

    private static String text;

    @BeforeAll
    static void prepare() throws IOException {
        SharedLibrary.assumed();
        String poems = Files.readString(ModelFolders.DEMO.resolve("text/poems.txt"));
        text = poems.substring(0, 1500);
    }

    @ParameterizedTest
    @EnumSource
    void demo(WeightType type) throws IOException {
        Path file = folder.resolve("demo.gguf");
        long t0 = System.nanoTime();
        Llama.convert(ModelFolders.DEMO.resolve("base"), file, LoadOptions.defaults().lora(ModelFolders.DEMO.resolve("chinese-lora")).quantize(type));
        long t1 = System.nanoTime();
        report(type.toString(), file, 256, t1 - t0);
        Files.delete(file);
    }

    @ParameterizedTest
    @EnumSource
    void synthetic(SyntheticGguf.LlamaKind kind) {
        Path file = SyntheticGguf.llama(kind, VocabularyKind.QWEN2).write(folder.resolve(kind + ".gguf"));
        report(kind.toString(), file, 256, 0);
    }

    private static void report(String name, Path file, int positions, long convertNanos) {
        long t0 = System.nanoTime();
        try (Llama ours = Llama.load(file, OPTIONS.engine(Engine.YANGTUO)); Llama theirs = Llama.load(file, OPTIONS.engine(Engine.LLAMA_CPP))) {
            int[] ids = Arrays.copyOf(ours.tokenizer().encode(text), positions);
            long t1 = System.nanoTime();
            Parity parity = Parity.of(ours, theirs, ids, positions);
            long t2 = System.nanoTime();
            double ppl = Parity.perplexityDifference(ours, theirs, text, 128);
            long t3 = System.nanoTime();
            double gap = 0;
            if (ours.tokenizer().bosId() >= 0) {
                gap = Math.max(Parity.gapWhereGreedyTextsPart(ours, theirs, "床前明月光，", 32), Parity.gapWhereGreedyTextsPart(ours, theirs, "In the beginning", 32));
            }
            long t4 = System.nanoTime();
            System.err.printf("PARITY %-8s mean %.3g max %.3g same %.4f ppl %.3g gap %.3g  convert %d load %d logits %d ppl %d greedy %d ms%n", name, parity.meanDivergence(), parity.largestDivergence(),
                    parity.sameBest(), ppl, gap, convertNanos / 1_000_000, (t1 - t0) / 1_000_000, (t2 - t1) / 1_000_000, (t3 - t2) / 1_000_000, (t4 - t3) / 1_000_000);
        }
        assertThat(name).isNotNull();
    }
}
