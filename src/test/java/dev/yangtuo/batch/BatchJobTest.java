package dev.yangtuo.batch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.yangtuo.GenerateOptions;
import dev.yangtuo.GenerationResult;
import dev.yangtuo.Llama;
import dev.yangtuo.LoadOptions;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Batches of requests in memory. */
class BatchJobTest {
    private static final Path TINY = Path.of("src/test/resources/models/tiny/base");
    private static final GenerateOptions SHORT = GenerateOptions.defaults().maxTokens(6).temperature(1).topK(0).topP(1);
    private static final BatchJob JOB = BatchJob.defaults().options(SHORT);

    private static Llama llama;

    @BeforeAll
    static void load() {
        llama = Llama.load(TINY, LoadOptions.defaults().maxSequences(8));
    }

    @AfterAll
    static void close() {
        llama.close();
    }

    private static BatchRequest request(int i) {
        return BatchRequest.of("id-" + i, "In the beginning was " + i).with(options -> options.maxTokens(1 + i % 5));
    }

    private static List<BatchResult> run(BatchJob job, List<BatchRequest> requests) {
        List<BatchResult> results = new ArrayList<>();
        job.run(llama, requests.iterator(), results::add);
        return results;
    }

    /** As the documentation of {@link BatchJob#seed} has it. */
    private static long seed(long job, String id) throws Exception {
        MessageDigest digest = MessageDigest.getInstance("SHA-256");
        digest.update(ByteBuffer.allocate(8).putLong(job).array());
        digest.update(id.getBytes(StandardCharsets.UTF_8));
        return ByteBuffer.wrap(digest.digest()).getLong() >>> 11;
    }

    @Test
    void textsAreThoseOfTheRequestsAlone() throws Exception {
        List<BatchRequest> requests = IntStream.range(0, 40).mapToObj(BatchJobTest::request).toList();
        List<BatchResult> results = run(JOB.seed(99).order(BatchOrder.INPUT), requests);
        assertThat(results).hasSize(40);
        for (int i = 0; i < 40; i++) {
            GenerateOptions options = SHORT.maxTokens(1 + i % 5).seed(seed(99, "id-" + i));
            GenerationResult alone = llama.generate("In the beginning was " + i, options).result();
            int number = i + 1;
            assertThat(results.get(i)).isInstanceOfSatisfying(BatchResult.Generated.class, result -> {
                assertThat(result.number()).isEqualTo(number);
                assertThat(result.id()).isEqualTo("id-" + (number - 1));
                assertThat(result.result().ids()).isEqualTo(alone.ids());
                assertThat(result.result().text()).isEqualTo(alone.text());
                assertThat(result.result().seed()).isEqualTo(alone.seed());
            });
        }
    }

    @Test
    void theSeedOfARequestWins() {
        List<BatchRequest> requests = List.of(BatchRequest.of("a", "x").with(options -> options.seed(5)));
        assertThat(run(JOB, requests).getFirst()).isInstanceOfSatisfying(BatchResult.Generated.class, result -> assertThat(result.result().seed()).isEqualTo(5));
    }

    @Test
    void inOrderOfCompletionALongTextHoldsUpNothing() {
        List<BatchRequest> requests = new ArrayList<>();
        requests.add(BatchRequest.of("long", "x").with(options -> options.maxTokens(200)));
        IntStream.range(0, 20).mapToObj(BatchJobTest::request).forEach(requests::add);
        assertThat(run(JOB, requests).getLast().id()).isEqualTo("long");
        List<String> inOrder = run(JOB.order(BatchOrder.INPUT), requests).stream().map(BatchResult::id).toList();
        assertThat(inOrder).isEqualTo(requests.stream().map(BatchRequest::id).toList());
    }

    @Test
    void requestsThatCannotBeGeneratedEndNothing() {
        List<BatchRequest> requests = List.of(
                BatchRequest.of("long", "1 2 ".repeat(400)),
                BatchRequest.of("range", "x").with(options -> options.temperature(-1)),
                new BatchRequest("ids", new BatchPrompt.Tokens(List.of(5000)), options -> options),
                new BatchRequest("none", new BatchPrompt.Tokens(List.of()), options -> options),
                BatchRequest.of("good", "x"));
        List<BatchResult> results = run(JOB.order(BatchOrder.INPUT), requests);
        assertFailed(results.get(0), BatchError.PROMPT_TOO_LONG, "request 1: the prompt has ", "context takes 256");
        assertFailed(results.get(1), BatchError.INVALID_REQUEST, "request 2: temperature is -1.0");
        assertFailed(results.get(2), BatchError.INVALID_REQUEST, "request 3: token id 5000");
        assertFailed(results.get(3), BatchError.INVALID_REQUEST, "request 4: there is no token to begin with");
        assertThat(results.get(4)).isInstanceOf(BatchResult.Generated.class);
    }

    private static void assertFailed(BatchResult result, BatchError error, String... parts) {
        assertThat(result).isInstanceOfSatisfying(BatchResult.Failed.class, failed -> {
            assertThat(failed.error()).isEqualTo(error);
            assertThat(failed.message()).contains(parts);
        });
    }

    @Test
    void theSummaryCounts() {
        List<BatchRequest> requests = List.of(
                BatchRequest.of("a", "In the beginning was the word").with(options -> options.maxTokens(3)),
                BatchRequest.of("b", "In the beginning was the word").with(options -> options.maxTokens(4)),
                BatchRequest.of("c", "x").with(options -> options.minP(-1)));
        List<BatchResult> results = new ArrayList<>();
        BatchSummary summary = JOB.run(llama, requests.iterator(), results::add);
        List<GenerationResult> texts = results.stream().filter(BatchResult.Generated.class::isInstance).map(result -> ((BatchResult.Generated) result).result()).toList();
        assertThat(summary.complete()).isTrue();
        assertThat(summary.requests()).isEqualTo(3);
        assertThat(summary.succeeded()).isEqualTo(2);
        assertThat(summary.failed()).isEqualTo(1);
        assertThat(summary.errors()).containsExactlyEntriesOf(Map.of("invalid_request", 1L));
        assertThat(summary.promptTokens()).isEqualTo(texts.stream().mapToLong(GenerationResult::promptTokens).sum());
        assertThat(summary.completionTokens()).isEqualTo(texts.stream().mapToLong(GenerationResult::generatedTokens).sum()).isPositive();
        assertThat(summary.reusedPromptTokens()).isEqualTo(texts.stream().mapToLong(GenerationResult::reusedTokens).sum());
        assertThat(summary.finishReasons().values().stream().mapToLong(Long::longValue).sum()).isEqualTo(2);
        assertThat(summary.tokensPerSecond()).isPositive();
        BatchSummary kept = BatchSummary.of(summary.toTree());
        assertThat(List.of(kept.succeeded(), kept.failed(), kept.promptTokens(), kept.reusedPromptTokens(), kept.completionTokens()))
                .isEqualTo(List.of(2L, 1L, summary.promptTokens(), summary.reusedPromptTokens(), summary.completionTokens()));
        assertThat(kept.finishReasons()).isEqualTo(summary.finishReasons());
    }

    @Test
    void requestsAreReadAsTheyAreNeeded() {
        AtomicLong read = new AtomicLong();
        AtomicLong done = new AtomicLong();
        Iterator<BatchRequest> requests = Stream.generate(() -> {
            // One is held by the thread that reads, one result by the thread that counts.
            assertThat(read.get() - done.get()).isLessThanOrEqualTo(4 * 2 + 2);
            return request((int) read.getAndIncrement());
        }).limit(100).iterator();
        JOB.inFlight(2).run(llama, requests, result -> done.incrementAndGet());
        assertThat(done.get()).isEqualTo(100);
    }

    @Test
    void aStreamEndsWhenItIsClosed() {
        try (Stream<BatchResult> results = JOB.stream(llama, Stream.iterate(0, i -> i + 1).map(BatchJobTest::request))) {
            assertThat(results.limit(5)).hasSize(5);
        }
        assertThat(JOB.stream(llama, Stream.of(request(1), request(2)))).hasSize(2);
    }

    @Test
    void cancellingEndsAtOnceAndKeepsWhatIsComplete() {
        BatchCancellation cancellation = new BatchCancellation();
        List<BatchResult> results = new ArrayList<>();
        BatchSummary summary = JOB.cancellation(cancellation).run(llama, Stream.iterate(0, i -> i + 1).map(BatchJobTest::request).iterator(), result -> {
            results.add(result);
            if (results.size() == 3) {
                cancellation.cancel();
            }
        });
        assertThat(summary.complete()).isFalse();
        assertThat(summary.requests()).isEqualTo(results.size()).isGreaterThanOrEqualTo(3);
        assertThat(JOB.cancellation(cancellation).run(llama, List.of(request(1)).iterator(), results::add).complete()).as("cancelled before").isFalse();
    }

    @Test
    void anInterruptEndsItAndStays() {
        BatchSummary summary = JOB.run(llama, Stream.iterate(0, i -> i + 1).map(BatchJobTest::request).iterator(), result -> Thread.currentThread().interrupt());
        assertThat(Thread.interrupted()).isTrue();
        assertThat(summary.complete()).isFalse();
    }

    @Test
    void aFailureThatIsNotOfARequestIsThrown() {
        Llama closed = Llama.load(TINY);
        closed.close();
        assertThatThrownBy(() -> JOB.run(closed, List.of(request(1)).iterator(), result -> {})).isInstanceOf(IllegalStateException.class).hasMessageContaining("closed");
        Iterator<BatchRequest> broken = Stream.<BatchRequest>generate(() -> {
            throw new UnsupportedOperationException("mine");
        }).iterator();
        assertThatThrownBy(() -> JOB.run(llama, broken, result -> {})).hasRootCauseMessage("mine");
    }

    @Test
    void optionsAreChecked() {
        assertThatThrownBy(() -> JOB.inFlight(0)).hasMessage("inFlight is 0, must be 1 to 65536");
        assertThatThrownBy(() -> JOB.lineLimit(0)).hasMessageContaining("lineLimit is 0");
        assertThatThrownBy(() -> JOB.outputFormat(BatchFormat.PLAIN)).hasMessageContaining("cannot be written as plain lines");
        assertThatThrownBy(() -> BatchFormat.of("xml")).hasMessage("'xml' is no format; expected one of json, openai, csv, plain, parquet");
        assertThatThrownBy(() -> BatchOrder.of("none")).hasMessageContaining("'none' is no order");
    }
}
