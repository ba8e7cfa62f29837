package dev.yangtuo.batch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.hardwood.InputFile;
import dev.hardwood.reader.ParquetFileReader;
import dev.hardwood.reader.RowReader;
import dev.yangtuo.GenerateOptions;
import dev.yangtuo.Llama;
import dev.yangtuo.LoadOptions;
import dev.yangtuo.exception.YangtuoException;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Batches of Parquet files. What is written is read by a library that is not ours. */
class ParquetTest {
    /** By requests-parquet.py beside it. */
    private static final Path REQUESTS = Path.of("src/test/resources/batch/requests.parquet");
    private static final BatchJob JOB = BatchJob.defaults().options(GenerateOptions.defaults().maxTokens(4).greedy()).order(BatchOrder.INPUT);

    private static Llama llama;

    @TempDir
    private Path folder;

    @BeforeAll
    static void load() {
        llama = Llama.load(Path.of("src/test/resources/models/tiny/base"), LoadOptions.defaults().maxSequences(8));
    }

    @AfterAll
    static void close() {
        llama.close();
    }

    private static List<List<@Nullable String>> rows(Path file, List<String> columns) throws IOException {
        List<List<@Nullable String>> all = new ArrayList<>();
        try (ParquetFileReader reader = ParquetFileReader.open(InputFile.of(file)); RowReader rows = reader.rowReader()) {
            assertThat(reader.getFileSchema().getColumns().stream().map(column -> column.name()).toList()).isEqualTo(columns);
            while (rows.hasNext()) {
                rows.next();
                List<@Nullable String> row = new ArrayList<>();
                for (String column : columns) {
                    boolean number = column.endsWith("_tokens");
                    row.add(rows.isNull(column) ? null : number ? Integer.toString(rows.getInt(column)) : rows.getString(column));
                }
                all.add(row);
            }
            assertThat(reader.getFileMetaData().numRows()).isEqualTo(all.size());
        }
        return all;
    }

    @Test
    void rowsAreReadAndWritten() throws IOException {
        Path output = folder.resolve("out.parquet");
        BatchSummary summary = JOB.echo(true).run(llama, REQUESTS, output);
        assertThat(summary.requests()).isEqualTo(5);
        assertThat(summary.failed()).isEqualTo(2);
        List<List<@Nullable String>> rows = rows(output, List.of("id", "prompt", "text", "finish_reason", "prompt_tokens", "completion_tokens", "error"));
        String text = llama.generate("In the beginning", GenerateOptions.defaults().maxTokens(4).greedy()).result().text();
        assertThat(rows.get(0)).containsExactly("10", "In the beginning", text, "max_tokens", "4", "4", null);
        assertThat(rows.get(1).subList(0, 2)).containsExactly("11", "山 \"x\"\n");
        assertThat(rows.get(2)).as("without an id").startsWith("3", "In the beginning", text);
        assertThat(rows.get(3)).containsExactly("10", null, null, null, null, null, "row 4: an earlier request has the id '10'; ids must differ");
        assertThat(rows.get(4)).containsExactly("13", null, null, null, null, null, "row 5: has no prompt");
        assertThat(Files.list(folder).map(file -> file.getFileName().toString())).containsExactlyInAnyOrder("out.parquet", "out.parquet.journal");
        assertThat(JOB.echo(true).resume(true).run(llama, REQUESTS, output).resumedRequests()).isEqualTo(5);
    }

    @Test
    void otherFormsInAndOut() throws IOException {
        Path json = folder.resolve("out.jsonl");
        JOB.run(llama, REQUESTS, json);
        assertThat(Files.readAllLines(json)).hasSize(5).first().asString().startsWith("{\"id\":10,\"text\":");
        Path input = Files.writeString(folder.resolve("in.jsonl"), "{\"prompt\":\"x\"}\n{\"id\":5}\n");
        Path output = folder.resolve("out.parquet");
        JOB.run(llama, input, output);
        assertThat(rows(output, List.of("id", "text", "finish_reason", "prompt_tokens", "completion_tokens", "error"))).hasSize(2)
                .last().isEqualTo(Arrays.asList("5", null, null, null, null, "line 2: has neither prompt nor messages"));
    }

    @Test
    void aRunThatWasEndedIsResumed() throws IOException {
        StringBuilder lines = new StringBuilder();
        for (int i = 0; i < 40; i++) {
            lines.append("{\"id\":\"%d\",\"prompt\":\"In the beginning %d\"}\n".formatted(i, i));
        }
        Path input = Files.writeString(folder.resolve("in.jsonl"), lines.toString());
        Path undisturbed = folder.resolve("undisturbed.parquet");
        JOB.run(llama, input, undisturbed);
        Path output = folder.resolve("out.parquet");
        BatchCancellation cancellation = new BatchCancellation();
        BatchSummary first = JOB.inFlight(2).cancellation(cancellation).listener(new BatchListener() {
            @Override
            public void onResult(BatchResult result) {
                if (result.number() == 10) {
                    cancellation.cancel();
                }
            }
        }).run(llama, input, output);
        assertThat(first.complete()).isFalse();
        assertThat(output).doesNotExist();
        assertThatThrownBy(() -> JOB.run(llama, input, output)).as("nothing is lost by accident").hasMessageContaining("is there already; resume it");
        BatchSummary second = JOB.resume(true).run(llama, input, output);
        assertThat(second.resumedRequests()).isEqualTo(first.requests());
        assertThat(Files.readAllBytes(output)).isEqualTo(Files.readAllBytes(undisturbed));
    }

    @Test
    void anOutputThatIsReplacedIsResumed() throws IOException {
        Path input = Files.writeString(folder.resolve("in.jsonl"), "{\"prompt\":\"a\"}\n".repeat(20));
        Path output = folder.resolve("out.parquet");
        JOB.run(llama, input, output);
        byte[] undisturbed = Files.readAllBytes(output);
        Files.writeString(output, "an older one");
        BatchCancellation cancellation = new BatchCancellation();
        BatchSummary first = JOB.overwrite(true).inFlight(1).cancellation(cancellation).listener(new BatchListener() {
            @Override
            public void onResult(BatchResult result) {
                if (result.number() == 5) {
                    cancellation.cancel();
                }
            }
        }).run(llama, input, output);
        assertThat(first.complete()).isFalse();
        BatchSummary second = JOB.resume(true).run(llama, input, output);
        assertThat(second.resumedRequests()).isEqualTo(first.requests());
        assertThat(Files.readAllBytes(output)).isEqualTo(undisturbed);
        // As a run that was killed while it tidied up leaves it.
        Files.writeString(ParquetOutput.records(output), "x");
        assertThat(JOB.resume(true).run(llama, input, output).requests()).isEqualTo(20);
        assertThat(ParquetOutput.records(output)).doesNotExist();
    }

    @Test
    void columnsWithoutValuesAndManyRowGroups() throws IOException {
        Path file = folder.resolve("x.parquet");
        List<ParquetColumn> columns = List.of(new ParquetColumn("a", true), new ParquetColumn("b_tokens", false), new ParquetColumn("c", true));
        SplittableRandom random = new SplittableRandom(1);
        List<List<@Nullable String>> expected = new ArrayList<>();
        try (ParquetFile out = ParquetFile.create(file, 1000, columns)) {
            for (int i = 0; i < 3001; i++) {
                String text = random.nextInt(3) == 0 ? null : "山".repeat(random.nextInt(3000)) + i;
                List<@Nullable String> row = Arrays.asList(text, i % 7 == 0 ? null : Integer.toString(random.nextInt()), null);
                expected.add(row);
                out.addRow(row);
            }
            out.complete();
        }
        assertThat(rows(file, List.of("a", "b_tokens", "c"))).isEqualTo(expected);
        try (ParquetFileReader reader = ParquetFileReader.open(InputFile.of(file))) {
            assertThat(reader.getFileMetaData().rowGroups()).hasSizeGreaterThan(1);
        }
    }

    @Test
    void aTableWithoutRows() throws IOException {
        Path file = folder.resolve("x.parquet");
        try (ParquetFile out = ParquetFile.create(file, 1000, List.of(new ParquetColumn("a", true)))) {
            out.complete();
        }
        assertThat(rows(file, List.of("a"))).isEmpty();
    }

    @Test
    void whatIsNoSuchFileIsSaid() throws IOException {
        byte[] good = Files.readAllBytes(REQUESTS);
        Path output = folder.resolve("out.jsonl");
        for (int length : new int[] {4, 8, 100, good.length - 9, good.length - 1}) {
            Path cut = Files.write(folder.resolve("cut-" + length), Arrays.copyOf(good, length));
            assertThatThrownBy(() -> JOB.inputFormat(BatchFormat.PARQUET).overwrite(true).run(llama, cut, output)).as("%d bytes", length).isInstanceOf(YangtuoException.class)
                    .hasMessageContaining(cut.toString());
        }
        assertThatThrownBy(() -> JOB.columns("id", "question").overwrite(true).run(llama, REQUESTS, output)).isInstanceOf(YangtuoException.class)
                .hasMessageContaining("there is no column 'question' of texts; the columns are 'note, id, prompt'");
        assertThatThrownBy(() -> JOB.inputFormat(BatchFormat.PARQUET).run(llama, new ByteArrayInputStream(good), "standard input", new ByteArrayOutputStream()))
                .hasMessageContaining("Parquet is read from a file only");
        assertThatThrownBy(() -> JOB.outputFormat(BatchFormat.PARQUET).run(llama, new ByteArrayInputStream(new byte[0]), "standard input", new ByteArrayOutputStream()))
                .hasMessageContaining("Parquet is written to a file only");
    }
}
