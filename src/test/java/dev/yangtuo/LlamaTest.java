package dev.yangtuo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.yangtuo.exception.ContextLengthException;
import dev.yangtuo.exception.KernelException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The public API on the demonstration model with its Chinese adapter. */
@Timeout(60)
class LlamaTest {
    private static final Path BASE = ModelFolders.DEMO.resolve("base");
    private static final LoadOptions OPTIONS = LoadOptions.defaults().lora(ModelFolders.DEMO.resolve("chinese-lora")).maxSequences(8);
    private static final GenerateOptions GREEDY = GenerateOptions.defaults().greedy().maxTokens(24);
    private static final List<String> PROMPTS =
            List.of("《静夜思》李白\n", "床前明月光，", "In the beginning God", "《春晓》", "山", "千里", "", "《登高》杜甫\n风急天高");

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
    void reportSaysWhatWasLoaded() {
        LoadReport report = llama.report();
        assertThat(report.baseVocabSize()).isEqualTo(3000);
        assertThat(report.vocabSize()).isEqualTo(12_183).isEqualTo(llama.vocabSize()).isEqualTo(llama.tokenizer().vocabSize());
        assertThat(report.layers()).isEqualTo(6);
        assertThat(report.dim()).isEqualTo(256);
        assertThat(report.context()).isEqualTo(512).isEqualTo(llama.contextLength());
        assertThat(report.adapters()).singleElement().asString().contains("chinese-lora");
        assertThat(report.describe()).contains("3000 -> 12183", report.backend());
    }

    @Test
    void piecesTogetherAreTheTextOfTheResult() {
        GenerateOptions options = GenerateOptions.defaults().temperature(0.9f).seed(7).maxTokens(60);
        Generation generation = llama.generate("《静夜思》", options);
        List<String> pieces = new ArrayList<>();
        generation.forEach(pieces::add);
        GenerationResult result = generation.result();
        assertThat(pieces).hasSizeGreaterThan(5).doesNotContain("");
        assertThat(String.join("", pieces)).isEqualTo(result.text());
        assertThat(result.seed()).isEqualTo(7);
        assertThat(result.tokensPerSecond()).isPositive();
        GenerationResult again = llama.generate("《静夜思》", options).result();
        assertThat(again.text()).isEqualTo(result.text());
        assertThat(again.ids()).isEqualTo(result.ids());
        assertThat(llama.generate("《静夜思》", options).stream().collect(Collectors.joining())).isEqualTo(result.text());
        int[] seeded = result.ids().stream().mapToInt(Integer::intValue).toArray();
        assertThat(llama.tokenizer().decode(seeded).strip()).isEqualTo(result.text().strip());
    }

    @Test
    void generationIsIteratedOnce() {
        Generation generation = llama.generate("山", GREEDY.maxTokens(2));
        Iterator<String> pieces = generation.iterator();
        assertThatIllegalStateException().isThrownBy(generation::iterator).withMessageContaining("once");
        while (pieces.hasNext()) {
            assertThat(pieces.next()).isNotEmpty();
        }
        assertThatThrownBy(pieces::next).isInstanceOf(NoSuchElementException.class);
    }

    @Test
    void stopTextsEndTheTextBeforeThem() {
        String all = llama.generate("床前明月光，", GREEDY.maxTokens(48)).result().text();
        // Across two tokens, within the text; a stop text that the other begins with; one that never comes.
        String spanning = all.substring(6, 10);
        GenerationResult result = llama.generate("床前明月光，", GREEDY.maxTokens(48).stop(spanning + "#").stop(spanning).stop("never")).result();
        assertThat(result.finishReason()).isEqualTo(FinishReason.STOP_TEXT);
        assertThat(result.text()).isEqualTo(all.substring(0, all.indexOf(spanning)));
        List<String> pieces = new ArrayList<>();
        llama.generate("床前明月光，", GREEDY.maxTokens(48).stop(spanning)).forEach(pieces::add);
        assertThat(String.join("", pieces)).isEqualTo(result.text());
        GenerationResult none = llama.generate("床前明月光，", GREEDY.maxTokens(48).stop(all.substring(40) + "#")).result();
        assertThat(none.text()).as("what was held back comes at the end").isEqualTo(all);
        assertThat(none.finishReason()).isEqualTo(FinishReason.MAX_TOKENS);
    }

    @Test
    void textEndsAtItsLimits() {
        GenerationResult one = llama.generate("山", GREEDY.maxTokens(1)).result();
        assertThat(one.generatedTokens()).isEqualTo(1);
        assertThat(one.finishReason()).isEqualTo(FinishReason.MAX_TOKENS);
        try (Llama small = Llama.load(BASE, OPTIONS.context(12))) {
            GenerationResult full = small.generate("床前明月光，", GREEDY.maxTokens(100)).result();
            assertThat(full.finishReason()).isEqualTo(FinishReason.CONTEXT_FULL);
            assertThat(full.promptTokens() + full.generatedTokens()).isEqualTo(13);
            assertThat(full.text()).isEqualTo(llama.generate("床前明月光，", GREEDY.maxTokens(6)).result().text());
            int[] ids = new int[12];
            Arrays.fill(ids, 5);
            assertThat(small.generate(ids, GREEDY).result().finishReason()).isEqualTo(FinishReason.CONTEXT_FULL);
            assertThatThrownBy(() -> small.generate(new int[13], GREEDY))
                    .isInstanceOfSatisfying(ContextLengthException.class, e -> {
                        assertThat(e.tokens()).isEqualTo(13);
                        assertThat(e.context()).isEqualTo(12);
                    });
            assertThatThrownBy(() -> small.logits(new int[13], (position, logits, offset) -> {})).isInstanceOf(ContextLengthException.class);
        }
        try (Llama base = Llama.load(BASE)) {
            GenerationResult ended = base.generate("床前明月光，", GREEDY).result();
            assertThat(ended.finishReason()).isEqualTo(FinishReason.END_OF_TEXT);
            assertThat(ended.text()).isEqualTo(")");
            assertThat(ended.ids()).hasSize(1);
            assertThat(ended.generatedTokens()).isEqualTo(2);
        }
    }

    @Test
    void promptsThatCannotBeginATextAreRefused() {
        assertThat(llama.generate("", GREEDY).result().promptTokens()).isEqualTo(1);
        assertThatIllegalArgumentException().isThrownBy(() -> llama.generate("", GREEDY.bos(false))).withMessageContaining("prompt");
        assertThatIllegalArgumentException().isThrownBy(() -> llama.generate(new int[0], GREEDY));
        assertThatIllegalArgumentException().isThrownBy(() -> llama.logits(new int[0], (position, logits, offset) -> {}));
        for (int id : new int[] {-1, 12_183, Integer.MAX_VALUE, Integer.MIN_VALUE}) {
            assertThatIllegalArgumentException().isThrownBy(() -> llama.generate(new int[] {1, id}, GREEDY)).withMessageContaining(Integer.toString(id));
            assertThatIllegalArgumentException().isThrownBy(() -> llama.logits(new int[] {1, id}, (position, logits, offset) -> {}));
        }
    }

    @Test
    void cancelFromAnotherThreadEndsTheText() throws Exception {
        Generation generation = llama.generate("山", GenerateOptions.defaults().temperature(1).seed(1).maxTokens(511));
        Iterator<String> pieces = generation.iterator();
        String first = pieces.next();
        Thread other = Thread.ofPlatform().start(generation::cancel);
        other.join();
        GenerationResult result = generation.result();
        assertThat(result.finishReason()).isEqualTo(FinishReason.CANCELLED);
        assertThat(result.text()).startsWith(first);
        assertThat(result.generatedTokens()).isLessThan(511);
        Generation closed = llama.generate("山", GREEDY);
        closed.close();
        closed.close();
        assertThat(closed.result().finishReason()).isEqualTo(FinishReason.CANCELLED);
        assertThat(closed.result().text()).isEmpty();
    }

    @Test
    void twoTextsInTheMakingDoNotDisturbEachOther() {
        String firstAlone = llama.generate(PROMPTS.get(0), GREEDY).result().text();
        String secondAlone = llama.generate(PROMPTS.get(2), GREEDY).result().text();
        Iterator<String> first = llama.generate(PROMPTS.get(0), GREEDY).iterator();
        Iterator<String> second = llama.generate(PROMPTS.get(2), GREEDY).iterator();
        StringBuilder firstText = new StringBuilder();
        StringBuilder secondText = new StringBuilder();
        while (first.hasNext() | second.hasNext()) {
            firstText.append(first.hasNext() ? first.next() : "");
            secondText.append(second.hasNext() ? second.next() : "");
        }
        assertThat(firstText.toString()).isEqualTo(firstAlone);
        assertThat(secondText.toString()).isEqualTo(secondAlone);
    }

    @Test
    void eightThreadsShareAModel() throws Exception {
        List<String> alone = PROMPTS.stream().map(prompt -> llama.generate(prompt, GREEDY).result().text()).toList();
        try (ExecutorService executor = Executors.newFixedThreadPool(8)) {
            List<Callable<String>> tasks = PROMPTS.stream()
                    .map(prompt -> (Callable<String>) () -> llama.generate(prompt, GREEDY).result().text()).toList();
            List<String> together = new ArrayList<>();
            for (Future<String> text : executor.invokeAll(tasks)) {
                together.add(text.get());
            }
            assertThat(together).isEqualTo(alone);
        }
    }

    @Test
    void moreTextsThanPlacesWaitForEachOther() {
        String expected = llama.generate("山", GREEDY).result().text();
        try (Llama two = Llama.load(BASE, OPTIONS.maxSequences(2))) {
            List<Generation> begun = new ArrayList<>();
            for (int i = 0; i < 9; i++) {
                Generation generation = two.generate("山", GREEDY);
                begun.add(generation);
                if (i % 2 == 0) {
                    Thread.ofVirtual().start(generation::result);
                }
            }
            for (Generation generation : begun.reversed()) {
                assertThat(generation.result().text()).isEqualTo(expected);
            }
        }
    }

    @Test
    void textsThatAreForgottenOrClosedGiveTheirPlaceBack() {
        try (Llama one = Llama.load(ModelFolders.tiny("base"), LoadOptions.defaults().maxSequences(1))) {
            for (int i = 0; i < 5; i++) {
                one.generate("山", GREEDY).iterator().next();
                try (Generation closed = one.generate("山", GREEDY)) {
                    closed.iterator().next();
                }
            }
            assertThat(one.generate("山", GREEDY).result().text()).isNotEmpty();
        }
    }

    @Test
    void aTextHasItsOwnFailureAndKeepsIt() {
        Llama closed = Llama.load(ModelFolders.tiny("base"));
        Generation generation = closed.generate("山", GREEDY);
        closed.close();
        assertThatIllegalStateException().isThrownBy(generation::result).withMessageContaining("closed");
        assertThatIllegalStateException().as("a failure stays").isThrownBy(generation::result).withMessageContaining("closed");
    }

    @Test
    void guessesDoNotChangeTheText() {
        String prompt = "床前明月光，疑是地上霜。举头望明月，低头思故乡。\n床前明月光，疑是";
        GenerateOptions greedy = GREEDY.maxTokens(60);
        for (GenerateOptions options : List.of(greedy, GenerateOptions.defaults().temperature(0.8f).seed(3).maxTokens(60),
                GenerateOptions.defaults().temperature(1.2f).topK(0).seed(4).maxTokens(60))) {
            GenerationResult plain = llama.generate(prompt, options).result();
            GenerationResult guessed = llama.generate(prompt, options.promptLookup(8)).result();
            assertThat(guessed.ids()).isEqualTo(plain.ids());
            assertThat(guessed.draftedTokens()).as("%s", options).isGreaterThanOrEqualTo(options == greedy ? 1 : 0);
            assertThat(guessed.acceptedTokens()).isBetween(0, guessed.draftedTokens());
            assertThat(plain.draftedTokens()).isZero();
        }
    }

    @Test
    void guessesOfManyTextsFitAShortContext() {
        try (Llama shorter = Llama.load(BASE, OPTIONS.context(8).maxSequences(3)); Llama draft = Llama.load(BASE, OPTIONS.context(8).maxSequences(3))) {
            List<String> prompts = List.of("山", "水", "月");
            List<GenerationResult> plain = shorter.generateBatch(prompts, GREEDY.maxTokens(20));
            List<GenerationResult> guessed = shorter.generateBatch(prompts, GREEDY.maxTokens(20).draft(draft, 15));
            assertThat(guessed).map(GenerationResult::text).isEqualTo(plain.stream().map(GenerationResult::text).toList());
            assertThat(guessed).allMatch(text -> text.draftedTokens() > 0);
        }
    }

    @Test
    void aModelThatGuessesDoesNotChangeTheText() {
        GenerateOptions greedy = GREEDY.maxTokens(60);
        try (Llama coarse = Llama.load(BASE, OPTIONS.quantize(WeightType.Q4_0)); Llama base = Llama.load(BASE)) {
            for (GenerateOptions options : List.of(greedy, GenerateOptions.defaults().temperature(0.8f).seed(3).maxTokens(60))) {
                GenerationResult plain = llama.generate("床前明月光，", options).result();
                GenerationResult guessed = llama.generate("床前明月光，", options.draft(coarse, 4)).result();
                assertThat(guessed.ids()).isEqualTo(plain.ids());
                assertThat(guessed.draftedTokens()).isPositive();
                assertThat(guessed.acceptedTokens()).isBetween(1, guessed.draftedTokens());
            }
            GenerationResult itself = llama.generate("床前明月光，", greedy.draft(llama, 4)).result();
            assertThat(itself.acceptedTokens()).as("it guesses what it will say").isGreaterThan(itself.draftedTokens() * 9 / 10);
            assertThatIllegalArgumentException().isThrownBy(() -> llama.generate("山", greedy.draft(base, 4)))
                    .withMessageContaining("3000").withMessageContaining("12183");
            Generation orphan = llama.generate("床前明月光，", greedy.draft(coarse, 4));
            coarse.close();
            assertThat(orphan.result().ids()).as("the model that guesses is gone").isEqualTo(llama.generate("床前明月光，", greedy).result().ids());
        }
        assertThatIllegalArgumentException().isThrownBy(() -> greedy.promptLookup(65)).withMessageContaining("65");
        assertThatIllegalArgumentException().isThrownBy(() -> greedy.draft(llama, -1)).withMessageContaining("-1");
        assertThat(llama.statistics().acceptanceRate()).isBetween(0.0, 1.0);
    }

    @Test
    void commonBeginningsAreComputedOnce() {
        String prompt = "白日依山尽，黄河入海流。欲穷千里目，更上一层楼。\n".repeat(8);
        try (Llama fresh = Llama.load(BASE, OPTIONS)) {
            GenerationResult first = fresh.generate(prompt, GREEDY).result();
            GenerationResult second = fresh.generate(prompt, GREEDY).result();
            assertThat(first.reusedTokens()).isZero();
            assertThat(second.reusedTokens()).isEqualTo(second.promptTokens() - 1);
            assertThat(second.ids()).isEqualTo(first.ids());
        }
    }

    @Test
    void closedModelRefusesToWork() {
        Llama closed = Llama.load(BASE, OPTIONS);
        Generation begun = closed.generate("山", GenerateOptions.defaults().temperature(1).seed(1).maxTokens(511));
        Iterator<String> pieces = begun.iterator();
        pieces.next();
        Generation unbegun = closed.generate("山", GREEDY);
        closed.close();
        closed.close();
        assertThatIllegalStateException().isThrownBy(() -> closed.generate("山", GREEDY)).withMessageContaining("closed");
        assertThatIllegalStateException().isThrownBy(() -> closed.logits(new int[] {1}, (position, logits, offset) -> {})).withMessageContaining("closed");
        assertThatIllegalStateException().isThrownBy(() -> pieces.forEachRemaining(piece -> {})).withMessageContaining("closed");
        assertThatIllegalStateException().isThrownBy(unbegun::result).withMessageContaining("closed");
        begun.close();
        unbegun.close();
        assertThat(closed.tokenizer().decode(closed.tokenizer().encode("still here"))).isEqualTo("still here");
        assertThat(closed.report().describe()).isNotEmpty();
    }

    @Test
    void closingDuringAGenerationEndsItWithAnError() throws Exception {
        for (int round = 0; round < 5; round++) {
            Llama shared = Llama.load(ModelFolders.tiny("base"), LoadOptions.defaults().maxSequences(4));
            CountDownLatch begun = new CountDownLatch(3);
            try (ExecutorService executor = Executors.newFixedThreadPool(3)) {
                List<Future<String>> texts = new ArrayList<>();
                for (int i = 0; i < 3; i++) {
                    long seed = i;
                    texts.add(executor.submit(() -> {
                        try {
                            while (true) {
                                Generation generation = shared.generate("山", GenerateOptions.defaults().temperature(2).seed(seed).maxTokens(250));
                                for (String piece : generation) {
                                    assertThat(piece).isNotEmpty();
                                    begun.countDown();
                                }
                            }
                        } catch (IllegalStateException e) {
                            return e.getMessage();
                        }
                    }));
                }
                begun.await();
                shared.close();
                for (Future<String> text : texts) {
                    assertThat(text.get()).contains("closed");
                }
            }
        }
    }

    @Test
    void progressComesParameterByParameterAndEndsWithAllBytes() {
        List<LoadProgress> progress = new ArrayList<>();
        Llama.load(ModelFolders.tiny("base"), LoadOptions.defaults().onProgress(progress::add)).close();
        int count = 3 + 3 * 9;
        assertThat(progress.stream().map(LoadProgress::tensor).distinct()).hasSize(count);
        for (int i = 1; i < progress.size(); i++) {
            assertThat(progress.get(i).tensorCount()).isEqualTo(count);
            assertThat(progress.get(i).tensorsDone()).isBetween(progress.get(i - 1).tensorsDone(), progress.get(i - 1).tensorsDone() + 1);
            assertThat(progress.get(i).bytesDone()).isBetween(progress.get(i - 1).bytesDone(), progress.get(i).byteCount());
        }
        assertThat(progress.getLast().tensorsDone()).isEqualTo(count);
        assertThat(progress.getLast().bytesDone()).isEqualTo(progress.getLast().byteCount());
        assertThat(progress.getFirst().tensor()).isEqualTo("model.embed_tokens.weight");
        assertThatThrownBy(() -> Llama.load(ModelFolders.tiny("base"), LoadOptions.defaults().onProgress(done -> {
            throw new IllegalStateException("stop here");
        }))).isInstanceOf(IllegalStateException.class).hasMessage("stop here");
    }

    @Test
    void memoryForKeysAndValuesMustHoldOneText() {
        LoadOptions tiny = LoadOptions.defaults().context(256);
        // Three layers, a key and a value of two heads of 16 elements in f16: 384 bytes a token.
        try (Llama enough = Llama.load(ModelFolders.tiny("base"), tiny.kvMemory(256 * 384))) {
            assertThat(enough.generate("山", GREEDY).result().text()).isNotEmpty();
        }
        assertThatThrownBy(() -> Llama.load(ModelFolders.tiny("base"), tiny.kvMemory(256 * 384 - 1))).isInstanceOf(KernelException.class)
                .hasMessageContaining("256 tokens").hasMessageContaining("98304").hasMessageContaining("98303");
        assertThatIllegalArgumentException().isThrownBy(() -> tiny.kvMemory(0)).withMessageContaining("kvMemory");
    }

    /** The last use of a generation is often the call that waits for its text. */
    @Test
    void aTextThatSomebodyWaitsForIsNotForgotten() throws Exception {
        Generation ended = llama.generate("山", GREEDY.maxTokens(1));
        for (int i = 0; i < 20_000; i++) {
            ended.result(); // compiled code, unlike interpreted, keeps nothing alive that it does not need any more
        }
        Thread collector = Thread.ofPlatform().start(() -> {
            try {
                while (true) {
                    System.gc();
                    Thread.sleep(20);
                }
            } catch (InterruptedException e) {
                // It has done its part.
            }
        });
        try {
            for (int i = 0; i < 3; i++) {
                assertThat(llama.generate("山", GenerateOptions.defaults().temperature(2).seed(i).maxTokens(200)).result().finishReason())
                        .isNotEqualTo(FinishReason.CANCELLED);
            }
        } finally {
            collector.interrupt();
            collector.join();
        }
    }
}
