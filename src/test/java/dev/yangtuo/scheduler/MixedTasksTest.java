package dev.yangtuo.scheduler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

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
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Texts that are generated and texts that are read, in one batch: each gets what it gets alone. */
@Timeout(120)
class MixedTasksTest {
    private static final int CONTEXT = 256;
    private static final int TEXT_TOKENS = 150;
    private static final SchedulerOptions FORGETFUL = new SchedulerOptions(Duration.ofMillis(300), 16, false, Duration.ofSeconds(10));

    /** Keeps every row. */
    private static final class CollectedRows implements ReadingListener {
        private final int width;
        private final List<float[]> rows = new ArrayList<>();
        private final List<Integer> positions = new ArrayList<>();
        private final CountDownLatch latch = new CountDownLatch(1);
        private volatile @Nullable EndCause cause;
        private volatile @Nullable TaskStatistics statistics;
        private volatile @Nullable Throwable failure;
        private Runnable atRows = () -> {};

        CollectedRows(int width) {
            this.width = width;
        }

        @Override
        public synchronized void accept(int position, int count, float[] values) {
            for (int i = 0; i < count; i++) {
                positions.add(position + i);
                rows.add(Arrays.copyOfRange(values, i * width, (i + 1) * width));
            }
            atRows.run();
        }

        @Override
        public void ended(EndCause why, TaskStatistics taken, @Nullable Throwable problem) {
            cause = why;
            statistics = taken;
            failure = problem;
            latch.countDown();
        }

        EndCause await() throws InterruptedException {
            assertThat(latch.await(30, TimeUnit.SECONDS)).isTrue();
            return cause;
        }
    }

    private static ReadingTask reading(int[] tokens, int from, ReadingTask.Wanted wanted, CollectedRows rows) {
        return new ReadingTask(tokens, from, wanted, 0, rows);
    }

    private static int width(Model model, ReadingTask.Wanted wanted) {
        return wanted == ReadingTask.Wanted.LOGITS ? model.vocabSize() : model.dim();
    }

    /** What is to be read; the same number gives the same. */
    private record Wish(int[] tokens, int from, ReadingTask.Wanted wanted) {
        static Wish random(Random random, int vocabulary) {
            int[] common = new SplittableRandom(random.nextInt(3)).ints(random.nextInt(150), 0, vocabulary).toArray();
            int[] tokens = IntStream.concat(Arrays.stream(common), random.ints(1 + random.nextInt(100), 0, vocabulary)).toArray();
            boolean logits = random.nextBoolean();
            // Most logits that are asked for are those of a continuation.
            int from = logits && random.nextInt(4) > 0 ? Math.max(0, tokens.length - 1 - random.nextInt(20)) : random.nextInt(tokens.length);
            return new Wish(tokens, from, logits ? ReadingTask.Wanted.LOGITS : ReadingTask.Wanted.STATES);
        }
    }

    @Test
    void everyReadingIsTheOneThatIsReadAloneWhateverMemoryThereIs() throws Exception {
        List<Wish> wishes = new ArrayList<>();
        List<List<float[]>> expected = new ArrayList<>();
        List<Integer> text;
        try (Model roomy = TestModels.tiny(CONTEXT, 1, 0); Scheduler scheduler = new Scheduler(roomy, FORGETFUL)) {
            Random random = new Random(21);
            for (int i = 0; i < 80; i++) {
                Wish wish = Wish.random(random, roomy.vocabSize());
                CollectedRows rows = new CollectedRows(width(roomy, wish.wanted()));
                scheduler.submit(reading(wish.tokens(), wish.from(), wish.wanted(), rows));
                assertThat(rows.await()).isEqualTo(EndCause.COMPLETE);
                wishes.add(wish);
                expected.add(rows.rows);
            }
            text = generated(roomy, scheduler, 0).ids();
        }
        int preemptions = 0;
        for (int pages : new int[] {4, 7, 40}) {
            try (Model model = TestModels.tiny(CONTEXT, 6, pages)) {
                try (Scheduler scheduler = new Scheduler(model, SchedulerOptions.DEFAULT)) {
                    List<CollectedRows> all = new ArrayList<>();
                    List<CollectedText> texts = new ArrayList<>();
                    for (int i = 0; i < wishes.size(); i++) {
                        Wish wish = wishes.get(i);
                        all.add(new CollectedRows(width(model, wish.wanted())));
                        scheduler.submit(reading(wish.tokens(), wish.from(), wish.wanted(), all.getLast()));
                        if (i % 5 == 0) {
                            texts.add(submitText(model, scheduler, 0));
                        }
                    }
                    for (int i = 0; i < wishes.size(); i++) {
                        assertThat(all.get(i).await()).as("reading %d, %d pages: %s", i, pages, all.get(i).failure).isEqualTo(EndCause.COMPLETE);
                        assertThat(all.get(i).positions).isEqualTo(IntStream.range(wishes.get(i).from(), wishes.get(i).tokens().length).boxed().toList());
                        assertThat(all.get(i).rows.toArray(float[][]::new)).as("reading %d, %d pages", i, pages).isDeepEqualTo(expected.get(i).toArray(float[][]::new));
                    }
                    for (CollectedText each : texts) {
                        each.await();
                        assertThat(each.ids()).isEqualTo(text);
                    }
                    scheduler.close();
                    preemptions += (int) scheduler.statistics().preemptions();
                    assertThat(scheduler.statistics().generatedTokens()).as("only texts generate").isEqualTo((long) texts.size() * TEXT_TOKENS);
                }
                assertThat(TestModels.forgetsAll(model)).as("no page is lost").isTrue();
            }
        }
        assertThat(preemptions).isPositive();
    }

    private static CollectedText submitText(Model model, Scheduler scheduler, int seed) {
        CollectedText text = new CollectedText(TEXT_TOKENS);
        scheduler.submit(new TextTask(new int[] {1, 5, 7}, new Sampler(SamplingOptions.DEFAULT, seed, model.vocabSize()), 1, Drafter.NONE, text));
        return text;
    }

    private static CollectedText generated(Model model, Scheduler scheduler, int seed) {
        CollectedText text = submitText(model, scheduler, seed);
        text.await();
        return text;
    }

    /** Less than a page: what is shared is taken from texts that are there, not from what is remembered. */
    @Test
    void aShortCommonBeginningIsComputedOnceForAllContinuations() throws Exception {
        try (Model model = TestModels.tiny(CONTEXT, 4, 0); Scheduler scheduler = new Scheduler(model, SchedulerOptions.DEFAULT)) {
            int vocabulary = model.vocabSize();
            int[] prompt = new SplittableRandom(1).ints(50, 0, vocabulary).toArray();
            List<CollectedRows> all = new ArrayList<>();
            List<Task> tasks = new ArrayList<>();
            for (int i = 0; i < 30; i++) {
                int[] tokens = Arrays.copyOf(prompt, 53);
                Arrays.fill(tokens, 50, 53, i);
                all.add(new CollectedRows(vocabulary));
                tasks.add(reading(tokens, 49, ReadingTask.Wanted.LOGITS, all.getLast()));
            }
            scheduler.submit(tasks);
            for (CollectedRows rows : all) {
                assertThat(rows.await()).isEqualTo(EndCause.COMPLETE);
                assertThat(rows.positions).containsExactly(49, 50, 51, 52);
                assertThat(rows.rows.getFirst()).as("of the prompt's last token").isEqualTo(all.getFirst().rows.getFirst());
            }
            scheduler.close();
            assertThat(scheduler.statistics().columns()).isEqualTo(49 + 30 * 4);
            assertThat(scheduler.statistics().reusedTokens()).isEqualTo(29 * 49);
            assertThat(all.getLast().statistics.reusedTokens()).isEqualTo(49);
        }
    }

    @Test
    void aListenerThatFailsAndOneThatIsCancelledEndAlone() throws Exception {
        try (Model model = TestModels.tiny(CONTEXT, 4, 0); Scheduler scheduler = new Scheduler(model, SchedulerOptions.DEFAULT)) {
            int dim = model.dim();
            CollectedRows bad = new CollectedRows(dim);
            bad.atRows = () -> {
                throw new IllegalStateException("listener");
            };
            CollectedRows good = new CollectedRows(dim);
            CollectedRows cancelled = new CollectedRows(dim);
            scheduler.submit(reading(new int[200], 0, ReadingTask.Wanted.STATES, bad));
            scheduler.submit(reading(new int[200], 0, ReadingTask.Wanted.STATES, good));
            scheduler.submit(reading(new int[200], 0, ReadingTask.Wanted.STATES, cancelled)).cancel();
            assertThat(bad.await()).isEqualTo(EndCause.FAILED);
            assertThat(bad.failure).hasMessage("listener");
            assertThat(good.await()).isEqualTo(EndCause.COMPLETE);
            assertThat(good.rows).hasSize(200);
            assertThat(cancelled.await()).isIn(EndCause.CANCELLED, EndCause.COMPLETE);
        }
    }

    @Test
    void positionsThatTheTextDoesNotHaveAreRefused() {
        CollectedRows rows = new CollectedRows(1);
        assertThatIllegalArgumentException().isThrownBy(() -> reading(new int[3], 3, ReadingTask.Wanted.LOGITS, rows)).withMessageContaining("3 tokens");
        assertThatIllegalArgumentException().isThrownBy(() -> reading(new int[0], 0, ReadingTask.Wanted.LOGITS, rows));
        assertThatIllegalArgumentException().isThrownBy(() -> reading(new int[3], -1, ReadingTask.Wanted.LOGITS, rows));
    }
}
