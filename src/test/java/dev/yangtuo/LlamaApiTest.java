package dev.yangtuo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.yangtuo.exception.CheckpointFormatException;
import dev.yangtuo.exception.ContextLengthException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Futures, lists of texts, progress and plans, on the demonstration model with its Chinese adapter. */
@Timeout(60)
class LlamaApiTest {
    private static final Path BASE = ModelFolders.DEMO.resolve("base");
    private static final LoadOptions OPTIONS = LoadOptions.defaults().lora(ModelFolders.DEMO.resolve("chinese-lora")).maxSequences(8);
    private static final GenerateOptions GREEDY = GenerateOptions.defaults().greedy().maxTokens(24);
    private static final GenerateOptions SAMPLED = GenerateOptions.defaults().temperature(0.9f).seed(3).maxTokens(24);
    /** Nothing ends it but its context. */
    private static final GenerateOptions LONG = GenerateOptions.defaults().temperature(1f).seed(1).maxTokens(1_000_000);

    private static Llama llama;

    @BeforeAll
    static void load() {
        llama = Llama.load(BASE, OPTIONS);
    }

    @AfterAll
    static void close() {
        llama.close();
    }

    @Test
    void aFutureHasTheTextOfTheSameGeneration() throws Exception {
        GenerationResult expected = llama.generate("《静夜思》李白\n", SAMPLED).result();
        CompletableFuture<String> text = llama.generateAsync("《静夜思》李白\n", SAMPLED).thenApply(result -> {
            assertThat(Thread.currentThread().getName()).as("not the thread of all texts").doesNotContain("scheduler");
            return result.text();
        });
        assertThat(text.get(30, TimeUnit.SECONDS)).isEqualTo(expected.text());
    }

    @Test
    void aFutureThatNobodyKeepsIsCompletedAllTheSame() throws Exception {
        CompletableFuture<String> told = new CompletableFuture<>();
        llama.generateAsync("床前明月光，", GREEDY).thenAccept(result -> told.complete(result.text()));
        for (int i = 0; i < 5; i++) {
            System.gc();
        }
        assertThat(told.get(30, TimeUnit.SECONDS)).isEqualTo(llama.generate("床前明月光，", GREEDY).result().text());
    }

    @Test
    void cancellingAFutureEndsItsText() {
        List<CompletableFuture<GenerationResult>> futures = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            futures.add(llama.generateAsync("山", LONG.seed(i)));
        }
        futures.forEach(future -> assertThat(future.cancel(true)).isTrue());
        futures.forEach(future -> assertThatThrownBy(future::get).isInstanceOf(CancellationException.class));
        long before = llama.statistics().generatedTokens();
        llama.generate("千里", GREEDY).result();
        assertThat(llama.statistics().generatedTokens() - before).as("tokens of others beside 24").isLessThan(24 + 8 * 24);
    }

    @Test
    void aTimeoutEndsTheTextToo() {
        CompletableFuture<GenerationResult> future = llama.generateAsync("山", LONG).orTimeout(1, TimeUnit.MILLISECONDS);
        assertThatThrownBy(() -> future.get(30, TimeUnit.SECONDS)).isInstanceOf(ExecutionException.class).hasCauseInstanceOf(TimeoutException.class);
    }

    @Test
    void aFutureFailsWhenItsModelIsClosed() {
        CompletableFuture<GenerationResult> future;
        try (Llama small = Llama.load(BASE, OPTIONS)) {
            future = small.generateAsync("山", LONG.onPromptProgress(progress -> small.close()));
            assertThatThrownBy(() -> future.get(30, TimeUnit.SECONDS)).isInstanceOf(ExecutionException.class).hasCauseInstanceOf(IllegalStateException.class);
            assertThatIllegalStateException().isThrownBy(() -> small.generateAsync("山", GREEDY)).withMessageContaining("closed");
        }
    }

    @Test
    void textsOfAListAreThoseThatTheyWouldBeAlone() {
        String common = "《静夜思》李白\n床前明月光，疑是地上霜。";
        List<String> prompts = List.of(common, common + "举头", "In the beginning", common, "");
        for (GenerateOptions options : List.of(GREEDY, SAMPLED)) {
            List<GenerationResult> results = llama.generateBatch(prompts, options);
            assertThat(results).hasSize(prompts.size());
            for (int i = 0; i < prompts.size(); i++) {
                assertThat(results.get(i).ids()).isEqualTo(llama.generate(prompts.get(i), options).result().ids());
            }
        }
        assertThat(llama.generateBatch(List.of(), GREEDY)).isEmpty();
    }

    @Test
    void aPromptOfAListThatDoesNotFitIsNamedBeforeAnythingIsComputed() {
        try (Llama own = Llama.load(BASE, OPTIONS)) { // of another one, earlier texts may be counted a little later
            assertThatThrownBy(() -> own.generateBatch(List.of("山", "山".repeat(600)), GREEDY))
                    .isInstanceOf(ContextLengthException.class).hasMessageContaining("prompt 2");
            assertThatIllegalArgumentException().isThrownBy(() -> own.generateBatch(List.of("山", ""), GREEDY.bos(false))).withMessageContaining("prompt 2");
            assertThat(own.statistics().forwardPasses()).isZero();
            assertThat(own.statistics().texts()).isZero();
        }
    }

    @Test
    void progressOfAPromptReachesItsEnd() {
        List<PromptProgress> told = new ArrayList<>();
        GenerationResult result = llama.generate("水".repeat(400), GREEDY.onPromptProgress(told::add)).result();
        assertThat(told).hasSizeGreaterThan(1).isSortedAccordingTo((a, b) -> Integer.compare(a.tokensDone(), b.tokensDone()));
        assertThat(told.getLast()).isEqualTo(new PromptProgress(result.promptTokens(), result.promptTokens()));
        assertThat(result.promptTime().plus(result.queueTime())).isEqualTo(result.timeToFirstToken());
        assertThat(result.timePerToken().multipliedBy(23)).isLessThanOrEqualTo(result.timeAfterFirstToken());
        assertThat(result.timePerToken()).isPositive();
    }

    @Test
    void aListenerOfProgressThatThrowsFailsItsTextAlone() {
        Generation other = llama.generate("千里", GREEDY);
        assertThatIllegalStateException().isThrownBy(() -> llama.generate("山", GREEDY.onPromptProgress(progress -> {
            throw new IllegalStateException("listener");
        })).result()).withMessageContaining("listener");
        assertThat(other.result().generatedTokens()).isEqualTo(24);
    }

    @Test
    void anErrorOfAListenerFailsItsTextAlone() {
        Generation other = llama.generate("千里", GREEDY);
        assertThatIllegalStateException().isThrownBy(() -> llama.generate("山", GREEDY.onPromptProgress(progress -> {
            throw new AssertionError("listener");
        })).result()).withMessageContaining("a listener of the text has failed: java.lang.AssertionError: listener");
        assertThat(other.result().generatedTokens()).isEqualTo(24);
    }

    /** On the thread that computes, waiting for what it computes would last for ever. */
    @Test
    void aListenerCannotWaitForATextOfItsModel() {
        for (Runnable waiting : List.<Runnable>of(
                () -> llama.generate("水", GREEDY).result(),
                () -> llama.generate("水", GREEDY).iterator().next(),
                () -> llama.generateBatch(List.of("水"), GREEDY),
                () -> llama.score("水", List.of("山")))) {
            CompletableFuture<GenerationResult> future = llama.generateAsync("山", GREEDY.onPromptProgress(progress -> waiting.run()));
            assertThatThrownBy(() -> future.get(30, TimeUnit.SECONDS)).hasRootCauseInstanceOf(WrongThreadException.class).hasMessageContaining("would wait for itself");
        }
        assertThat(llama.generate("千里", GREEDY).result().generatedTokens()).isEqualTo(24);
    }

    @Test
    void memoryBeyondAllBoundsIsNamed() {
        assertThatIllegalArgumentException().isThrownBy(() -> Llama.plan(BASE, LoadOptions.defaults().kvMemory(Long.MAX_VALUE)))
                .withMessageContaining("kvMemory of 9223372036854775807 bytes");
    }

    @Test
    void aTextThatGoesOnTakesOverAllThatWasComputed() {
        String prompt = "《登高》杜甫\n";
        GenerationResult first = llama.generate(prompt, GREEDY).result();
        int[] ids = new int[first.promptTokens() + first.ids().size() + 1];
        int[] promptIds = llama.tokenizer().encode(prompt);
        ids[0] = llama.tokenizer().bosId();
        System.arraycopy(promptIds, 0, ids, 1, promptIds.length);
        for (int i = 0; i < first.ids().size(); i++) {
            ids[first.promptTokens() + i] = first.ids().get(i);
        }
        ids[ids.length - 1] = 5;
        GenerationResult second = llama.generate(ids, GREEDY).result();
        assertThat(second.reusedTokens()).as("all but the last token, which was chosen and not computed").isEqualTo(ids.length - 2);
    }

    @Test
    void aPlanSaysWhatLoadingTakes() {
        for (LoadOptions options : List.of(OPTIONS, LoadOptions.defaults().quantize(WeightType.Q8_0).context(256), LoadOptions.defaults().kvMemory(8_000_000))) {
            MemoryPlan plan = Llama.plan(BASE, options);
            try (Llama loaded = Llama.load(BASE, options)) {
                assertThat(plan.weightBytes()).isCloseTo(loaded.report().weightBytes(), Percentage.withPercentage(1));
                assertThat(plan.contextLength()).isEqualTo(loaded.contextLength());
            }
            assertThat(plan.fits()).isTrue();
            assertThat(plan.totalBytes()).isEqualTo(plan.weightBytes() + plan.kvBytes() + plan.bufferBytes());
            assertThat(plan.describe()).contains("base", "keys and values of " + plan.kvTokens() + " tokens");
        }
        assertThat(Llama.plan(BASE, LoadOptions.defaults().kvMemory(8_000_000)).kvBytes()).isBetween(7_000_000L, 8_000_000L);
        assertThatThrownBy(() -> Llama.plan(Path.of("nowhere"), OPTIONS)).isInstanceOf(CheckpointFormatException.class).hasMessageContaining("nowhere");
    }
}
