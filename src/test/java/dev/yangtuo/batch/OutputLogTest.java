package dev.yangtuo.batch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.yangtuo.FinishReason;
import dev.yangtuo.GenerationResult;
import dev.yangtuo.exception.YangtuoException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** An output can be taken up whatever moment its writer was killed at. */
class OutputLogTest {
    private static final byte[] PREAMBLE = "head\n".getBytes(StandardCharsets.UTF_8);
    private static final OutputLog.Beginning BEGINNING = new OutputLog.Beginning(JournalHeader.of(1000, Map.of("seed", "1")), PREAMBLE);
    /** In the order in which they become complete. */
    private static final List<Finished> RESULTS = List.of(result(2), result(1), result(5), failure(3), result(4));

    @TempDir
    private Path folder;

    private Path output;
    private Path journal;

    @BeforeEach
    void names() {
        output = folder.resolve("out.jsonl");
        journal = OutputLog.journal(output);
    }

    private static Finished result(long place) {
        GenerationResult result = new GenerationResult("text " + "x".repeat((int) place), List.of(1, 2), FinishReason.MAX_TOKENS, (int) place, 2,
                Duration.ZERO, Duration.ZERO, 7, Duration.ZERO, 1, 0, 0, List.of());
        return new Finished(place, record(place), null, new BatchResult.Generated(place, Long.toString(place), result));
    }

    private static Finished failure(long place) {
        return new Finished(place, record(place), null, new BatchResult.Failed(place, Long.toString(place), BatchError.INVALID_JSON, "no"));
    }

    private static InputRecord record(long place) {
        return new InputRecord(place, "line " + place, RecordId.ofLine(place), 10, InputRecord.Reply.COMPLETION, null, null);
    }

    private static byte[] bytes(Finished finished) {
        return "{\"id\":%d,\"x\":\"%s\"}\n".formatted(finished.place(), "y".repeat((int) finished.place() * 3)).getBytes(StandardCharsets.UTF_8);
    }

    private static void write(OutputLog log, List<Finished> results) {
        for (Finished finished : results) {
            log.add(finished, bytes(finished));
            log.commit();
        }
    }

    private static byte[] wholeOutput() {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        all.writeBytes(PREAMBLE);
        RESULTS.forEach(result -> all.writeBytes(bytes(result)));
        return all.toByteArray();
    }

    private void create() {
        try (OutputLog log = OutputLog.create(output, BEGINNING)) {
            write(log, RESULTS);
        }
    }

    @Test
    void aJournalThatIsNoneIsLeftAlone() throws IOException {
        Files.writeString(journal, "my diary\n");
        assertThatThrownBy(this::create).isInstanceOf(YangtuoException.class).hasMessageContaining("is not the journal of a batch");
        assertThat(Files.readString(journal)).isEqualTo("my diary\n");
    }

    /** Journal and output after each byte that is written, in the order in which the two are written. */
    private record Moment(byte[] journal, byte[] output) {}

    private List<Moment> moments() throws IOException {
        create();
        byte[] entries = Files.readAllBytes(journal);
        byte[] records = Files.readAllBytes(output);
        assertThat(records).isEqualTo(wholeOutput());
        List<Moment> moments = new ArrayList<>();
        int header = BEGINNING.header().toLine().length;
        for (int length = 0; length <= header; length++) {
            moments.add(new Moment(Arrays.copyOf(entries, length), new byte[0]));
        }
        int journalEnd = header;
        int outputEnd = 0;
        for (int record = 0; record <= RESULTS.size(); record++) {
            int size = record == 0 ? PREAMBLE.length : bytes(RESULTS.get(record - 1)).length;
            for (int length = 1; length <= JournalEntry.BYTES; length++) {
                moments.add(new Moment(Arrays.copyOf(entries, journalEnd + length), Arrays.copyOf(records, outputEnd)));
            }
            journalEnd += JournalEntry.BYTES;
            for (int length = 1; length <= size; length++) {
                moments.add(new Moment(Arrays.copyOf(entries, journalEnd), Arrays.copyOf(records, outputEnd + length)));
            }
            outputEnd += size;
        }
        assertThat(journalEnd).isEqualTo(entries.length);
        assertThat(outputEnd).isEqualTo(records.length);
        return moments;
    }

    @Test
    void everyMomentOfAKillLosesNothingAndRepeatsNothing() throws IOException {
        for (Moment moment : moments()) {
            Files.write(journal, moment.journal());
            Files.write(output, moment.output());
            try (OutputLog log = OutputLog.resume(output, BEGINNING)) {
                List<Finished> left = RESULTS.stream().filter(result -> !log.done().contains(result.place())).toList();
                assertThat(log.taken().requests()).isEqualTo(RESULTS.size() - left.size());
                assertThat(left).as("the last ones are missing").isEqualTo(RESULTS.subList(RESULTS.size() - left.size(), RESULTS.size()));
                write(log, left);
            }
            assertThat(Files.readAllBytes(output)).isEqualTo(wholeOutput());
        }
    }

    @Test
    void countsOfEarlierRunsAreKept() {
        create();
        try (OutputLog log = OutputLog.resume(output, BEGINNING)) {
            BatchSummary summary = log.taken().summary(log.taken().copy(), false, Duration.ofSeconds(1));
            assertThat(summary.requests()).isEqualTo(5);
            assertThat(summary.resumedRequests()).isEqualTo(5);
            assertThat(summary.promptTokens()).isEqualTo(2 + 1 + 5 + 4);
            assertThat(summary.completionTokens()).isEqualTo(8);
            assertThat(summary.reusedPromptTokens()).isEqualTo(4);
            assertThat(summary.finishReasons()).isEqualTo(Map.of("max_tokens", 4L));
            assertThat(summary.errors()).isEqualTo(Map.of("invalid_json", 1L));
            assertThat(log.created()).isEqualTo(1000);
        }
    }

    @Test
    void whatIsCompleteStaysComplete() throws IOException {
        try (OutputLog log = OutputLog.create(output, BEGINNING)) {
            write(log, RESULTS);
            RESULTS.forEach(result -> log.taken().add(Tally.Counted.of(result.result())));
            log.complete(log.taken().summary(new Tally(), true, Duration.ofSeconds(1)));
        }
        assertThat(Files.readString(journal)).hasLineCount(1);
        try (OutputLog log = OutputLog.resume(output, BEGINNING)) {
            assertThat(log.completed()).isNotNull().satisfies(summary -> {
                assertThat(summary.requests()).isEqualTo(5);
                assertThat(summary.resumedRequests()).isEqualTo(5);
                assertThat(summary.errors()).isEqualTo(Map.of("invalid_json", 1L));
            });
        }
        assertThat(Files.readAllBytes(output)).isEqualTo(wholeOutput());
        Files.write(output, new byte[] {1});
        assertThatThrownBy(() -> OutputLog.resume(output, BEGINNING)).isInstanceOf(YangtuoException.class).hasMessageContaining("was changed since it was written");
    }

    @Test
    void anotherBatchIsRefusedAndSaysWhy() throws IOException {
        create();
        OutputLog.Beginning other = new OutputLog.Beginning(JournalHeader.of(1, Map.of("seed", "2", "--top-k", "5")), PREAMBLE);
        assertThatThrownBy(() -> OutputLog.resume(output, other)).isInstanceOf(YangtuoException.class)
                .hasMessageContaining(output.toString())
                .hasMessageContaining("--top-k was not set and is '5'; seed was '1' and is '2'");
        assertThat(Files.readAllBytes(output)).isEqualTo(wholeOutput());
    }

    @Test
    void anOutputWithoutAJournalIsLeftAlone() throws IOException {
        Files.writeString(output, "somebody's\n");
        assertThatThrownBy(() -> OutputLog.resume(output, BEGINNING)).isInstanceOf(YangtuoException.class).hasMessageContaining("there is no journal");
        assertThat(Files.readString(output)).isEqualTo("somebody's\n");
    }

    @Test
    void aFileThatIsNoJournalIsLeftAlone() throws IOException {
        Files.writeString(journal, "my diary\n");
        assertThatThrownBy(() -> OutputLog.resume(output, BEGINNING)).isInstanceOf(YangtuoException.class).hasMessageContaining("is not the journal of a batch");
        assertThat(Files.readString(journal)).isEqualTo("my diary\n");
    }

    @Test
    void whatSomebodyChangedIsNotCutOff() throws IOException {
        create();
        byte[] entries = Files.readAllBytes(journal);
        ByteArrayOutputStream synced = new ByteArrayOutputStream();
        synced.writeBytes(entries);
        synced.writeBytes(JournalEntry.sync(wholeOutput().length).toBytes());
        Files.write(journal, synced.toByteArray());
        byte[] changed = wholeOutput();
        changed[PREAMBLE.length + 3] ^= 1;
        Files.write(output, changed);
        assertThatThrownBy(() -> OutputLog.resume(output, BEGINNING)).isInstanceOf(YangtuoException.class)
                .hasMessageContaining("was changed since it was written, at or behind byte " + PREAMBLE.length);
        assertThat(Files.readAllBytes(output)).isEqualTo(changed);
        Files.write(output, wholeOutput());
        byte[] damaged = synced.toByteArray();
        damaged[damaged.length - 2 * JournalEntry.BYTES] ^= 1;
        Files.write(journal, damaged);
        assertThatThrownBy(() -> OutputLog.resume(output, BEGINNING)).as("a damaged journal").hasMessageContaining("was changed since it was written");
        assertThat(Files.readAllBytes(output)).isEqualTo(wholeOutput());
    }

    @Test
    void twoWritersAreOneTooMany() {
        try (OutputLog _ = OutputLog.create(output, BEGINNING)) {
            assertThatThrownBy(() -> OutputLog.resume(output, BEGINNING)).hasMessageContaining("another batch is writing it");
        }
    }
}
