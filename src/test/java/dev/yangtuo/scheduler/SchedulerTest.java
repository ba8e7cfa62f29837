package dev.yangtuo.scheduler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.yangtuo.model.Model;
import dev.yangtuo.model.TestModels;
import dev.yangtuo.sampling.Sampler;
import dev.yangtuo.sampling.SamplingOptions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Texts that are computed together are those that are computed alone, whatever happens around them. */
@Timeout(120)
class SchedulerTest {
    private static final int CONTEXT = 256;
    private static final SchedulerOptions FORGETFUL = new SchedulerOptions(Duration.ofMillis(300), 16, false, Duration.ofSeconds(10));

    /** What is asked for: the same number gives the same. */
    private record Wish(int[] prompt, SamplingOptions sampling, long seed, int tokens, int priority, boolean guesses) {
        static Wish random(Random random, int vocabulary) {
            // Some prompts begin like others.
            int[] common = new SplittableRandom(random.nextInt(3)).ints(random.nextInt(150), 0, vocabulary).toArray();
            int[] own = random.ints(1 + random.nextInt(80), 0, random.nextBoolean() ? vocabulary : 5).toArray();
            int[] prompt = IntStream.concat(Arrays.stream(common), Arrays.stream(own)).toArray();
            SamplingOptions sampling = switch (random.nextInt(4)) {
                case 0 -> SamplingOptions.GREEDY;
                case 1 -> SamplingOptions.DEFAULT.withTemperature(1.5f);
                case 2 -> new SamplingOptions(1f, 0, 0.9f, 0f, 1.2f);
                default -> SamplingOptions.GREEDY.withRepeatPenalty(1.3f);
            };
            return new Wish(prompt, sampling, random.nextLong(), 1 + random.nextInt(random.nextInt(3) == 0 ? 100 : 25), random.nextInt(3), random.nextInt(3) == 0);
        }

        TextTask task(Model model, TokenListener listener) {
            Drafter drafter = guesses ? new PromptLookup(6) : Drafter.NONE;
            return new TextTask(prompt, new Sampler(sampling, seed, model.vocabSize()), priority, drafter, listener);
        }

        /** The text with nothing beside it, nothing remembered and nothing guessed. */
        List<Integer> alone(Model model) {
            CollectedText text = new CollectedText(tokens);
            try (Scheduler scheduler = new Scheduler(model, FORGETFUL)) {
                scheduler.submit(new Wish(prompt, sampling, seed, tokens, 0, false).task(model, text));
                text.await();
            }
            return text.ids();
        }
    }

    /** Random arrivals from four threads, lengths, priorities, guesses and cancellations, with memory for less than two whole contexts. */
    @Test
    void everyTextIsTheOneThatIsGeneratedAlone() throws Exception {
        List<Wish> wishes = new ArrayList<>();
        Random random = new Random(11);
        List<List<Integer>> expected = new ArrayList<>();
        try (Model roomy = TestModels.tiny(CONTEXT, 1, 0)) {
            for (int i = 0; i < 160; i++) {
                wishes.add(Wish.random(random, roomy.vocabSize()));
                expected.add(wishes.getLast().alone(roomy));
            }
        }
        for (int pages : new int[] {4, 7, 40}) {
            try (Model model = TestModels.tiny(CONTEXT, 6, pages)) {
                SchedulerStatistics statistics;
                try (Scheduler scheduler = new Scheduler(model, SchedulerOptions.DEFAULT)) {
                    CollectedText[] texts = new CollectedText[wishes.size()];
                    boolean[] cancelled = new boolean[wishes.size()];
                    List<Thread> threads = new ArrayList<>();
                    for (int t = 0; t < 4; t++) {
                        int first = t;
                        threads.add(Thread.ofPlatform().start(() -> submit(scheduler, model, wishes, first, texts, cancelled)));
                    }
                    for (Thread thread : threads) {
                        thread.join();
                    }
                    for (int i = 0; i < texts.length; i++) {
                        EndCause cause = texts[i].await();
                        if (cancelled[i]) {
                            List<Integer> ids = texts[i].ids();
                            assertThat(ids).as("text %d, %d pages", i, pages).isEqualTo(expected.get(i).subList(0, ids.size()));
                        } else {
                            assertThat(cause).as("text %d, %d pages: %s", i, pages, texts[i].failure())
                                    .isEqualTo(expected.get(i).size() < wishes.get(i).tokens() ? EndCause.CONTEXT_FULL : EndCause.COMPLETE);
                            assertThat(texts[i].ids()).as("text %d, %d pages", i, pages).isEqualTo(expected.get(i));
                        }
                    }
                    scheduler.close();
                    statistics = scheduler.statistics();
                }
                assertThat(TestModels.forgetsAll(model)).as("no page is lost").isTrue();
                assertThat(statistics.texts()).isEqualTo(wishes.size());
                assertThat(statistics.reusedTokens()).isPositive();
            }
        }
    }

    /** Two texts that both begin, but do not both fit when they have grown. */
    @Test
    void whoHasNoMemoryLeftWaitsAndIsComputedAgain() {
        List<Wish> wishes = List.of(new Wish(new int[] {1, 2, 3}, SamplingOptions.DEFAULT, 1, 220, 0, false), new Wish(new int[] {4, 5}, SamplingOptions.DEFAULT, 2, 220, 0, true));
        List<List<Integer>> expected;
        try (Model roomy = TestModels.tiny(CONTEXT, 1, 0)) {
            expected = wishes.stream().map(wish -> wish.alone(roomy)).toList();
        }
        try (Model model = TestModels.tiny(CONTEXT, 3, 4); Scheduler scheduler = new Scheduler(model, SchedulerOptions.DEFAULT)) {
            List<CollectedText> texts = List.of(new CollectedText(220), new CollectedText(220));
            CollectedText blocker = new CollectedText(1).atToken(() -> {
                for (int i = 0; i < 2; i++) {
                    scheduler.submit(wishes.get(i).task(model, texts.get(i)));
                }
            });
            scheduler.submit(new Wish(new int[] {7}, SamplingOptions.GREEDY, 1, 1, 0, false).task(model, blocker));
            blocker.await();
            texts.forEach(text -> assertThat(text.await()).isEqualTo(EndCause.COMPLETE));
            assertThat(texts.stream().map(CollectedText::ids).toList()).isEqualTo(expected);
            assertThat(texts.get(0).statistics().preemptions()).as("who came first goes on").isZero();
            assertThat(texts.get(1).statistics().preemptions()).isPositive();
        }
    }

    private static void submit(Scheduler scheduler, Model model, List<Wish> wishes, int first, CollectedText[] texts, boolean[] cancelled) {
        Random random = new Random(first);
        for (int i = first; i < wishes.size(); i += 4) {
            CollectedText text = new CollectedText(wishes.get(i).tokens());
            texts[i] = text;
            Scheduler.Handle handle = scheduler.submit(wishes.get(i).task(model, text));
            if (random.nextInt(5) == 0) {
                cancelled[i] = true;
                pause(random.nextInt(3));
                handle.cancel();
            } else {
                pause(random.nextInt(2));
            }
        }
    }

    private static void pause(int millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void aCommonBeginningIsComputedOnceEvenIfAllArriveTogether() {
        try (Model model = TestModels.tiny(CONTEXT, 8, 0); Scheduler scheduler = new Scheduler(model, SchedulerOptions.DEFAULT)) {
            int[] common = new SplittableRandom(1).ints(192, 0, model.vocabSize()).toArray();
            List<CollectedText> texts = new ArrayList<>();
            for (int i = 0; i < 20; i++) {
                int[] prompt = Arrays.copyOf(common, 200);
                Arrays.fill(prompt, 192, 200, i);
                texts.add(new CollectedText(3));
                scheduler.submit(new TextTask(prompt, new Sampler(SamplingOptions.GREEDY, 1, model.vocabSize()), 0, Drafter.NONE, texts.getLast()));
            }
            texts.forEach(text -> assertThat(text.await()).isEqualTo(EndCause.COMPLETE));
            scheduler.close();
            SchedulerStatistics statistics = scheduler.statistics();
            assertThat(statistics.promptTokens()).isEqualTo(20 * 200);
            assertThat(statistics.reusedTokens()).isGreaterThanOrEqualTo(19 * 192);
            assertThat(texts.getLast().statistics().reusedTokens()).isGreaterThanOrEqualTo(192);
        }
    }

    @Test
    void highPriorityGoesFirstAndNobodyStarves() {
        List<Integer> order = new ArrayList<>();
        try (Model model = TestModels.tiny(CONTEXT, 1, 0); Scheduler scheduler = new Scheduler(model, FORGETFUL)) {
            CollectedText blocker = new CollectedText(60);
            List<CollectedText> texts = new ArrayList<>();
            // They are all submitted while the first one has the only place.
            blocker.atToken(() -> {
                if (blocker.ids().size() == 1) {
                    for (int i = 0; i < 6; i++) {
                        int number = i;
                        texts.add(new CollectedText(1).atToken(() -> order.add(number)));
                        scheduler.submit(new TextTask(new int[] {5}, new Sampler(SamplingOptions.GREEDY, 1, model.vocabSize()), i % 3, Drafter.NONE, texts.getLast()));
                    }
                }
            });
            scheduler.submit(new TextTask(new int[] {1}, new Sampler(SamplingOptions.GREEDY, 1, model.vocabSize()), 0, Drafter.NONE, blocker));
            blocker.await();
            texts.forEach(CollectedText::await);
        }
        assertThat(order).containsExactly(2, 5, 1, 4, 0, 3);
    }

    @Test
    void waitingRaisesTheRank() {
        SchedulerOptions impatient = new SchedulerOptions(Duration.ofMillis(300), 0, false, Duration.ofNanos(1000));
        List<Integer> order = new ArrayList<>();
        try (Model model = TestModels.tiny(CONTEXT, 1, 0); Scheduler scheduler = new Scheduler(model, impatient)) {
            CollectedText blocker = new CollectedText(40);
            List<CollectedText> texts = new ArrayList<>();
            blocker.atToken(() -> {
                int size = blocker.ids().size();
                if (size == 1 || size == 20) {
                    int number = texts.size();
                    texts.add(new CollectedText(1).atToken(() -> order.add(number)));
                    scheduler.submit(new TextTask(new int[] {5}, new Sampler(SamplingOptions.GREEDY, 1, model.vocabSize()), number, Drafter.NONE, texts.getLast()));
                }
            });
            scheduler.submit(new TextTask(new int[] {1}, new Sampler(SamplingOptions.GREEDY, 1, model.vocabSize()), 0, Drafter.NONE, blocker));
            blocker.await();
            texts.forEach(CollectedText::await);
        }
        assertThat(order).as("the later one has the higher priority").containsExactly(0, 1);
    }

    @Test
    void aListenerThatFailsEndsItsTextAlone() {
        try (Model model = TestModels.tiny(CONTEXT, 4, 0); Scheduler scheduler = new Scheduler(model, SchedulerOptions.DEFAULT)) {
            int vocabulary = model.vocabSize();
            CollectedText bad = new CollectedText(10).atToken(() -> {
                throw new IllegalStateException("listener");
            });
            CollectedText good = new CollectedText(10);
            scheduler.submit(new TextTask(new int[] {1}, new Sampler(SamplingOptions.GREEDY, 1, vocabulary), 0, Drafter.NONE, bad));
            scheduler.submit(new TextTask(new int[] {1}, new Sampler(SamplingOptions.GREEDY, 1, vocabulary), 0, Drafter.NONE, good));
            assertThat(bad.await()).isEqualTo(EndCause.FAILED);
            assertThat(bad.failure()).hasMessage("listener");
            assertThat(good.await()).isEqualTo(EndCause.COMPLETE);
            assertThat(good.ids()).hasSize(10);
        }
    }

    @Test
    void textsThatDoNotFitAreRefusedAndTheContextEndsATask() {
        try (Model model = TestModels.tiny(40, 2, 0); Scheduler scheduler = new Scheduler(model, SchedulerOptions.DEFAULT)) {
            int vocabulary = model.vocabSize();
            Sampler sampler = new Sampler(SamplingOptions.GREEDY, 1, vocabulary);
            CollectedText text = new CollectedText(100);
            assertThatIllegalArgumentException().isThrownBy(() -> scheduler.submit(new TextTask(new int[41], sampler, 0, Drafter.NONE, text)))
                    .withMessageContaining("context of 40");
            assertThatIllegalArgumentException().isThrownBy(() -> new TextTask(new int[0], sampler, 0, Drafter.NONE, text));
            scheduler.submit(new TextTask(new int[40], sampler, 0, new PromptLookup(5), text));
            assertThat(text.await()).isEqualTo(EndCause.CONTEXT_FULL);
            assertThat(text.ids()).hasSize(1);
            CollectedText longer = new CollectedText(100);
            scheduler.submit(new TextTask(new int[30], new Sampler(SamplingOptions.GREEDY, 1, vocabulary), 0, new PromptLookup(5), longer));
            assertThat(longer.await()).isEqualTo(EndCause.CONTEXT_FULL);
            assertThat(longer.ids()).hasSize(11);
        }
    }

    @Test
    void closingFailsWhatIsThereAndRefusesWhatComes() {
        Model model = TestModels.tiny(CONTEXT, 1, 0);
        Scheduler scheduler = new Scheduler(model, SchedulerOptions.DEFAULT);
        int vocabulary = model.vocabSize();
        List<CollectedText> texts = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            texts.add(new CollectedText(1000));
            scheduler.submit(new TextTask(new int[] {1}, new Sampler(SamplingOptions.DEFAULT, i, vocabulary), 0, Drafter.NONE, texts.getLast()));
        }
        scheduler.close();
        scheduler.close();
        for (CollectedText text : texts) {
            EndCause cause = text.await();
            assertThat(cause).isIn(EndCause.FAILED, EndCause.CONTEXT_FULL);
        }
        assertThat(texts.getLast().failure()).isInstanceOf(IllegalStateException.class).hasMessageContaining("closed");
        assertThatIllegalStateException().isThrownBy(() -> scheduler.submit(
                new TextTask(new int[] {1}, new Sampler(SamplingOptions.GREEDY, 1, vocabulary), 0, Drafter.NONE, new CollectedText(1))));
        assertThat(TestModels.forgetsAll(model)).isTrue();
        model.close();
    }
}
