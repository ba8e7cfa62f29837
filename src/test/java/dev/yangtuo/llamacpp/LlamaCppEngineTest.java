package dev.yangtuo.llamacpp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.yangtuo.EmbeddingOptions;
import dev.yangtuo.Engine;
import dev.yangtuo.GenerateOptions;
import dev.yangtuo.GenerationResult;
import dev.yangtuo.Llama;
import dev.yangtuo.LlamaCppOptions;
import dev.yangtuo.LoadOptions;
import dev.yangtuo.MemoryPlan;
import dev.yangtuo.ModelFolders;
import dev.yangtuo.Perplexity;
import dev.yangtuo.PerplexityOptions;
import dev.yangtuo.RopeScalingType;
import dev.yangtuo.Score;
import dev.yangtuo.exception.KernelException;
import dev.yangtuo.exception.YangtuoException;
import dev.yangtuo.grammar.Grammar;
import dev.yangtuo.kernel.Candidates;
import dev.yangtuo.model.LoadedModel;
import dev.yangtuo.model.Model;
import dev.yangtuo.model.PassOutputs;
import dev.yangtuo.model.PassPart;
import dev.yangtuo.model.PassResult;
import dev.yangtuo.model.Sequence;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.logging.StreamHandler;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The public API over llama.cpp. One thread computes, since llama.cpp's threads wait for each other busily. */
@Timeout(120)
class LlamaCppEngineTest {
    private static final LoadOptions OPTIONS = LoadOptions.defaults().engine(Engine.LLAMA_CPP).threads(1).maxSequences(6);
    private static final GenerateOptions GREEDY = GenerateOptions.defaults().greedy().maxTokens(20);
    private static final List<String> PROMPTS = List.of("《静夜思》李白\n", "床前明月光，", "山", "千里江陵", "Once upon a time");

    private static final PassOutputs NOTHING_WANTED = new PassOutputs() {
        @Override
        public int candidateCount() {
            return 0;
        }

        @Override
        public int choices() {
            return 0;
        }

        @Override
        public void addEdits(Candidates wanted, int outputs) {}

        @Override
        public void accept(PassResult result) {}
    };

    @TempDir
    private static Path folder;

    private static Llama demo;
    private static Llama reference;

    /** Models whose memories differ: all can be cut; some layers look back a window only; a state that cannot be cut. */
    enum Shape {
        QWEN2(file -> SyntheticGguf.qwen2(VocabularyKind.QWEN2, false).write(file)),
        GEMMA3(file -> SyntheticGguf.gemma3(VocabularyKind.QWEN2).write(file)),
        MAMBA(file -> SyntheticGguf.mamba(VocabularyKind.QWEN2).write(file));

        private final Function<Path, Path> writer;

        Shape(Function<Path, Path> writer) {
            this.writer = writer;
        }

        Path write() {
            return writer.apply(folder.resolve(name() + ".gguf"));
        }
    }

    @BeforeAll
    static void load() {
        SharedLibrary.assumed();
        Path file = folder.resolve("demo.gguf");
        Llama.convert(ModelFolders.DEMO.resolve("base"), file, LoadOptions.defaults().lora(ModelFolders.DEMO.resolve("chinese-lora")));
        demo = Llama.load(file, OPTIONS);
        reference = Llama.load(file, OPTIONS.engine(Engine.YANGTUO));
    }

    @AfterAll
    static void close() {
        if (demo != null) {
            demo.close();
            reference.close();
        }
    }

    @Test
    void greedyTextsAreThoseOfOurEngine() {
        assertThat(demo.report().backend()).contains("llama.cpp");
        for (String prompt : PROMPTS) {
            assertThat(demo.generate(prompt, GREEDY).result().text()).as(prompt).isEqualTo(reference.generate(prompt, GREEDY).result().text());
        }
    }

    @Test
    void manyTextsAtOnceAreThoseOfEachAlone() {
        List<GenerationResult> together = demo.generateBatch(PROMPTS, GREEDY);
        for (int i = 0; i < PROMPTS.size(); i++) {
            assertThat(together.get(i).text()).isEqualTo(reference.generate(PROMPTS.get(i), GREEDY).result().text());
        }
    }

    @Test
    void samplersAndGrammarsWorkOnTop() {
        GenerateOptions sampled = GenerateOptions.defaults().temperature(0.8f).topK(40).seed(5).maxTokens(20).repeatPenalty(1.2f);
        String text = demo.generate(PROMPTS.getFirst(), sampled).result().text();
        assertThat(text).isNotEqualTo(demo.generate(PROMPTS.getFirst(), GREEDY).result().text());
        assertThat(demo.generate(PROMPTS.getFirst(), sampled.seed(6)).result().text()).as("another seed").isNotEqualTo(text);
        assertThat(demo.generate("山", GREEDY.grammar(Grammar.regex("[月山水]{5}"))).result().text()).matches("[月山水]{5}");
    }

    @Test
    void whatATextEndedWithNeedNotBeComputedAgain() {
        String prompt = "白日依山尽，黄河入海流。欲穷千里目，更上一层楼。".repeat(4);
        String answer = demo.generate(prompt, GREEDY).result().text();
        GenerationResult next = demo.generate(prompt + answer + "\n山", GREEDY).result();
        assertThat(next.reusedTokens()).isGreaterThan(40);
        assertThat(next.text()).isEqualTo(reference.generate(prompt + answer + "\n山", GREEDY).result().text());
    }

    @Test
    void scoresVectorsAndPerplexitiesAreCloseToThoseOfOurEngine() {
        List<Score> scores = demo.score("床前明月", List.of("光", "山水"));
        List<Score> expected = reference.score("床前明月", List.of("光", "山水"));
        for (int i = 0; i < 2; i++) {
            assertThat(scores.get(i).sum()).isCloseTo(expected.get(i).sum(), within(0.02));
        }
        List<String> texts = List.of("床前明月光", "疑是地上霜。举头望明月，低头思故乡。".repeat(6));
        List<float[]> vectors = demo.embed(texts, EmbeddingOptions.defaults());
        List<float[]> expectedVectors = reference.embed(texts, EmbeddingOptions.defaults());
        for (int i = 0; i < 2; i++) {
            assertThat(vectors.get(i)).containsExactly(expectedVectors.get(i), within(0.02f));
        }
        Perplexity perplexity = demo.perplexity(texts.get(1), PerplexityOptions.defaults());
        assertThat(perplexity.value()).isCloseTo(reference.perplexity(texts.get(1), PerplexityOptions.defaults()).value(), within(0.3));
    }

    @Test
    void cancellingEndsATextAndNoOther() {
        GenerateOptions endless = GenerateOptions.defaults().temperature(1f).seed(1).maxTokens(1_000_000);
        List<CompletableFuture<GenerationResult>> futures = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            futures.add(demo.generateAsync("山", endless.seed(i)));
        }
        CompletableFuture<GenerationResult> kept = demo.generateAsync(PROMPTS.getFirst(), GREEDY);
        futures.forEach(future -> assertThat(future.cancel(true)).isTrue());
        futures.forEach(future -> assertThatThrownBy(future::get).isInstanceOf(CancellationException.class));
        assertThat(kept.join().text()).isEqualTo(reference.generate(PROMPTS.getFirst(), GREEDY).result().text());
    }

    @Test
    void savingAContextIsRefusedInWords() {
        assertThatThrownBy(() -> demo.saveContext("山", folder.resolve("context"))).isInstanceOf(YangtuoException.class).hasMessageContaining("engine yangtuo");
    }

    @ParameterizedTest
    @EnumSource(Shape.class)
    void otherArchitecturesGenerate(Shape shape) {
        Path file = shape.write();
        try (Llama llama = Llama.load(file, LoadOptions.defaults().threads(1))) {
            assertThat(llama.report().backend()).as("chosen by itself").contains("llama.cpp");
            List<String> alone = PROMPTS.stream().map(prompt -> llama.generate(prompt, GREEDY).result().text()).toList();
            assertThat(llama.generateBatch(PROMPTS, GREEDY)).map(GenerationResult::text).isEqualTo(alone);
            assertThat(alone).as("different texts").doesNotHaveDuplicates();
            String guessed = llama.generate(PROMPTS.getFirst(), GREEDY.promptLookup(4)).result().text();
            assertThat(guessed).as("with guesses").isEqualTo(alone.getFirst());
            assertThat(llama.perplexity("Once upon a time there was a hill. ".repeat(5), PerplexityOptions.defaults()).value()).isPositive();
        }
    }

    @Test
    void separateMemoriesGiveTheSameTexts() {
        Path file = Shape.QWEN2.write();
        LoadOptions separate = OPTIONS.context(128).llamaCpp(LlamaCppOptions.defaults().sharedMemory(false).mapped(false).flashAttention(LlamaCppOptions.FlashAttention.OFF));
        try (Llama shared = Llama.load(file, OPTIONS); Llama llama = Llama.load(file, separate)) {
            assertThat(llama.generateBatch(PROMPTS, GREEDY)).map(GenerationResult::text)
                    .isEqualTo(PROMPTS.stream().map(prompt -> shared.generate(prompt, GREEDY).result().text()).toList());
        }
    }

    @Test
    void closingWhileTextsAreInTheMakingFailsThem() {
        Llama llama = Llama.load(Shape.QWEN2.write(), OPTIONS);
        CompletableFuture<GenerationResult> text = llama.generateAsync("山", GenerateOptions.defaults().temperature(1f).seed(1).maxTokens(400));
        llama.close();
        assertThatThrownBy(text::join).hasRootCauseInstanceOf(IllegalStateException.class);
        assertThatIllegalStateException().isThrownBy(() -> llama.generate("山", GREEDY).result());
        llama.close();
    }

    @Test
    void guessesBesideAReadingAreNotMoreOutputsThanThereIsRoomFor() {
        Path file = Shape.QWEN2.write();
        String tail = "upon a time there was a hill. ".repeat(8);
        LoadOptions few = OPTIONS.context(512).maxSequences(2);
        try (Llama llama = Llama.load(file, few); Llama draft = Llama.load(file, few)) {
            double alone = llama.score("Once", List.of(tail)).getFirst().sum();
            CompletableFuture<GenerationResult> text = llama.generateAsync("山", GREEDY.maxTokens(200).draft(draft, 15));
            for (int i = 0; i < 5; i++) {
                assertThat(llama.score("Once", List.of(tail)).getFirst().sum()).isCloseTo(alone, within(0.05));
            }
            assertThat(text.join().draftedTokens()).isGreaterThan(50);
        }
    }

    @Test
    void windowsThatHavePassedAreNotTakenOver() {
        Path file = Shape.GEMMA3.write();
        List<String> prompts = IntStream.range(0, 16).mapToObj(i -> "Once upon a time %c ".formatted('一' + i * 37).repeat(1 + i % 5)).toList();
        long twoContexts = 2 * Llama.plan(file, OPTIONS.context(256).maxSequences(1)).kvBytes();
        LoadOptions small = OPTIONS.context(256).maxSequences(16).kvMemory(twoContexts);
        try (Llama llama = Llama.load(file, small);
                Llama alone = Llama.load(file, OPTIONS.context(256).llamaCpp(LlamaCppOptions.defaults().sharedMemory(false)))) {
            llama.generateBatch(prompts, GREEDY.maxTokens(100));
            for (String prompt : prompts) {
                assertThat(llama.score(prompt, List.of("hill")).getFirst().sum()).as(prompt)
                        .isCloseTo(alone.score(prompt, List.of("hill")).getFirst().sum(), within(0.02));
            }
        }
    }

    @Test
    void textsWaitWhileGuessesHaveAllSequences() {
        Path file = Shape.MAMBA.write();
        List<String> prompts = List.of("a", "bc", "def", "ghij", "klm", "nop");
        try (Llama draft = Llama.load(file, OPTIONS.maxSequences(2)); Llama llama = Llama.load(Shape.QWEN2.write(), OPTIONS)) {
            List<String> alone = prompts.stream().map(prompt -> draft.generate(prompt, GREEDY).result().text()).toList();
            List<CompletableFuture<GenerationResult>> guessed =
                    prompts.stream().map(prompt -> llama.generateAsync(prompt, GREEDY.maxTokens(150).draft(draft, 5))).toList();
            List<CompletableFuture<GenerationResult>> own = prompts.stream().map(prompt -> draft.generateAsync(prompt, GREEDY)).toList();
            assertThat(own).map(text -> text.join().text()).isEqualTo(alone);
            guessed.forEach(CompletableFuture::join);
        }
    }

    @Test
    void whateverAListenerThrowsWhileLoadingReachesTheCaller() {
        Path file = Shape.QWEN2.write();
        for (Throwable failure : List.of(new IllegalStateException("mine"), new AssertionError("mine"))) {
            assertThatThrownBy(() -> Llama.load(file, OPTIONS.onProgress(progress -> {
                switch (failure) {
                    case Error e -> throw e;
                    case RuntimeException e -> throw e;
                    default -> throw new IllegalArgumentException(failure);
                }
            }))).isSameAs(failure);
        }
    }

    @Test
    void aPassThatIsGivenUpWritesNothingToTheLog() {
        Logger logger = Logger.getLogger("dev.yangtuo.llamacpp");
        List<String> written = Collections.synchronizedList(new ArrayList<>());
        Handler handler = new StreamHandler() {
            @Override
            public void publish(LogRecord entry) {
                written.add(entry.getMessage());
            }
        };
        logger.addHandler(handler);
        LoadedModel loaded = LlamaCppLoader.load(Shape.QWEN2.write(), OPTIONS.settings(), LlamaCppOptions.defaults());
        try (Model model = loaded.model(); Sequence sequence = model.newSequence()) {
            PassPart part = PassPart.withLastOutput(sequence, new int[] {5, 6, 7}, 0, 3);
            assertThat(model.forward(List.of(part), NOTHING_WANTED, () -> false)).isFalse();
            assertThat(sequence.length()).isZero();
            assertThat(model.forward(List.of(part), NOTHING_WANTED, () -> true)).isTrue();
            assertThat(sequence.length()).isEqualTo(3);
        } finally {
            logger.removeHandler(handler);
        }
        assertThat(written).isEmpty();
    }

    @Test
    void aLogitsProcessorMayCloseTheModel() {
        Llama llama = Llama.load(Shape.QWEN2.write(), OPTIONS);
        CompletableFuture<GenerationResult> other = llama.generateAsync("水", GREEDY.maxTokens(400));
        assertThatIllegalStateException().isThrownBy(() -> llama.generate("山", GREEDY.logitsProcessor(() -> (tokens, logits) -> llama.close())).result())
                .withMessage("the model is closed");
        assertThatThrownBy(other::join).hasRootCauseMessage("the model is closed");
    }

    @Test
    void aPlanSaysWhatWillBeTaken() {
        Path file = Shape.QWEN2.write();
        MemoryPlan plan = Llama.plan(file, LoadOptions.defaults().context(100).maxSequences(2));
        assertThat(plan.contextLength()).isEqualTo(100);
        assertThat(plan.kvTokens()).isEqualTo(256);
        assertThat(plan.kvBytes()).as("3 layers, 2 heads of 16 elements, f16").isEqualTo(256L * 3 * 2 * (16 + 16) * 2);
        assertThat(plan.weightBytes()).isBetween(700_000L, 900_000L);
    }

    @Test
    void aContextThatTheMachineHasNoMemoryForIsRefused() {
        Path file = Shape.QWEN2.write();
        assertThatThrownBy(() -> Llama.load(file, OPTIONS.context(500_000_000).maxSequences(1))).isInstanceOf(KernelException.class).hasMessageContaining("shorter context");
    }

    @Test
    void ourEngineRunsOnTheProcessorThatIsAskedFor() {
        try (Llama llama = Llama.load(ModelFolders.DEMO.resolve("base"), LoadOptions.defaults().llamaCpp(LlamaCppOptions.defaults().devices(List.of("cpu"))))) {
            assertThat(llama.report().backend()).doesNotContain("llama.cpp");
        }
        assertThatThrownBy(() -> Llama.load(ModelFolders.DEMO.resolve("base"), LoadOptions.defaults().llamaCpp(LlamaCppOptions.defaults().devices(List.of("CPU", "CUDA7")))))
                .hasMessageContaining("'CUDA7'");
    }

    @Test
    void aScalingOfRopeThatCannotBeSetIsRefusedWithWhatCan() {
        Path file = Shape.QWEN2.write();
        assertThatThrownBy(() -> Llama.load(file, OPTIONS.ropeScaling(RopeScalingType.NTK).ropeFactor(2)))
                .hasMessageContaining("ntk")
                .hasMessageEndingWith("none, linear and yarn are possible with models of this architecture");
    }

    @Test
    void aPromptHasNoBeginningOfSequenceWhereTheModelExpectsNone() {
        try (Llama llama = Llama.load(Shape.QWEN2.write(), OPTIONS)) {
            assertThat(llama.tokenizer().model().special().addBos()).isFalse();
            GenerationResult result = llama.generate("hello", GREEDY.maxTokens(1)).result();
            assertThat(result.promptTokens()).isEqualTo(llama.tokenizer().encode("hello").length);
        }
    }

    @Test
    void anUnknownDeviceIsNamed() {
        Path file = Shape.QWEN2.write();
        assertThatThrownBy(() -> Llama.load(file, OPTIONS.llamaCpp(LlamaCppOptions.defaults().devices(List.of("CUDA7")))))
                .isInstanceOf(YangtuoException.class)
                .hasMessageContaining("'CUDA7'")
                .hasMessageContaining("CPU");
    }
}
