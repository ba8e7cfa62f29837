package dev.yangtuo.batch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.yangtuo.GenerateOptions;
import dev.yangtuo.Llama;
import dev.yangtuo.LoadOptions;
import dev.yangtuo.exception.YangtuoException;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Batches of files. The golden ones are written by {@code yangtuo batch --model src/test/resources/models/tiny/base --order input --max-tokens 5 --input NAME --output
 * NAME.out}, for the CSV file with {@code --id-column key --prompt-column question}; times of creation are 0 in them.
 */
class BatchFilesTest {
    private static final Path TINY = Path.of("src/test/resources/models/tiny/base");
    private static final Path FILES = Path.of("src/test/resources/batch");
    private static final BatchJob JOB = BatchJob.defaults().options(GenerateOptions.defaults().maxTokens(5)).order(BatchOrder.INPUT).modelName("base");

    private static Llama llama;

    @TempDir
    private Path folder;

    @BeforeAll
    static void load() {
        llama = Llama.load(TINY, LoadOptions.defaults().maxSequences(8));
    }

    @AfterAll
    static void close() {
        llama.close();
    }

    private Path write(String name, String text) throws IOException {
        return Files.writeString(folder.resolve(name), text);
    }

    @ParameterizedTest
    @CsvSource({"requests.jsonl, requests.jsonl.out", "openai.jsonl, openai.jsonl.out", "requests.csv, requests.out.csv", "prompts.txt, prompts.txt.out"})
    void formatsAreReadAndWritten(String input, String golden) throws IOException {
        Path output = folder.resolve(golden);
        BatchSummary summary = JOB.columns("key", "question").run(llama, FILES.resolve(input), output);
        assertThat(Files.readString(output).replaceAll("\"created\":[0-9]+", "\"created\":0")).isEqualTo(Files.readString(FILES.resolve(golden)));
        assertThat(summary.complete()).isTrue();
    }

    @Test
    void streamsGiveWhatFilesGive() throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        JOB.run(llama, Files.newInputStream(FILES.resolve("requests.jsonl")), "standard input", out);
        assertThat(out.toString(StandardCharsets.UTF_8)).isEqualTo(Files.readString(FILES.resolve("requests.jsonl.out")));
    }

    @Test
    void oneFormInAndAnotherOut() throws IOException {
        Path input = write("in.jsonl", "{\"id\":\"a\",\"prompt\":\"x, \\\"y\\\"\"}\n{\"id\":\"b\"}\n");
        Path output = folder.resolve("out.csv");
        JOB.echo(true).options(GenerateOptions.defaults().maxTokens(1).greedy()).run(llama, input, output);
        List<String> lines = Files.readAllLines(output);
        assertThat(lines.get(0)).isEqualTo("id,prompt,text,finish_reason,prompt_tokens,completion_tokens,error");
        assertThat(lines.get(1)).startsWith("a,\"x, \"\"y\"\"\",").contains(",max_tokens,");
        assertThat(lines.get(2)).isEqualTo("b,,,,,,line 2: has neither prompt nor messages");
        Path openAi = folder.resolve("out.jsonl");
        JOB.outputFormat(BatchFormat.OPENAI).run(llama, input, openAi);
        assertThat(Files.readString(openAi)).contains("\"custom_id\":\"a\"", "\"object\":\"text_completion\"", "\"code\":\"invalid_request\"");
    }

    @Test
    void formatsAreGuessed() {
        assertThat(guess("x.csv", "{}")).isEqualTo(BatchFormat.CSV);
        assertThat(guess("x.TXT", "{}")).isEqualTo(BatchFormat.PLAIN);
        assertThat(guess("x", "hello")).isEqualTo(BatchFormat.PLAIN);
        assertThat(guess("x.jsonl", "hello")).isEqualTo(BatchFormat.JSON_LINES);
        assertThat(guess("x", "\uFEFF\n {\"prompt\":1}")).isEqualTo(BatchFormat.JSON_LINES);
        assertThat(guess("x.jsonl", "{\"a\":{\"custom_id\":1}}")).isEqualTo(BatchFormat.JSON_LINES);
        assertThat(guess("x.jsonl", "{\"method\":\"POST\",\"body\":{\"a\":[1]},\"custom_id\":\"b\"")).isEqualTo(BatchFormat.OPENAI);
        assertThat(guess("x.jsonl", "{\"custom_id\":\"b\",\"body\":{\"mess")).as("cut off").isEqualTo(BatchFormat.OPENAI);
    }

    private static BatchFormat guess(String name, String text) {
        return BatchFormat.guess(name, text.getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void theNameOfAnOutputSaysItsForm() throws IOException {
        Path output = folder.resolve("out.CSV");
        JOB.run(llama, FILES.resolve("openai.jsonl"), output);
        assertThat(Files.readString(output)).startsWith("id,text,finish_reason,");
    }

    @Test
    void anInputThatCannotBeReadLeavesNoOutput() throws IOException {
        Path input = write("in.csv", "id,prompt\n1,x\n");
        Path output = folder.resolve("out.jsonl");
        assertThatThrownBy(() -> JOB.columns("id", "question").run(llama, input, output)).hasMessageContaining("there is no column 'question'");
        assertThat(folder).isDirectoryNotContaining("glob:**out.jsonl*");
        assertThat(JOB.run(llama, input, output).succeeded()).isEqualTo(1);
    }

    @Test
    void whatATemplateRefusesIsTheFaultOfTheRequest() throws IOException {
        Path input = write("in.jsonl", "{\"custom_id\":\"a\",\"method\":\"POST\",\"url\":\"/v1/chat/completions\",\"body\":{\"messages\":[{\"role\":\"tool\",\"content\":\"x\"}]}}\n");
        Path output = folder.resolve("out.jsonl");
        JOB.run(llama, input, output);
        assertThat(Files.readString(output)).contains("\"status_code\":400", "\"code\":\"invalid_request\"", "the role 'tool'");
        Path broken = Files.createDirectory(folder.resolve("model"));
        try (Stream<Path> files = Files.list(TINY)) {
            for (Path file : files.toList()) {
                Files.copy(file, broken.resolve(file.getFileName()));
            }
        }
        Files.writeString(broken.resolve("chat_template.jinja"), "{% if %}");
        try (Llama other = Llama.load(broken)) {
            JOB.overwrite(true).run(other, input, output);
        }
        assertThat(Files.readString(output)).contains("\"status_code\":500", "the chat template cannot be read");
    }

    @Test
    void manyElementsAreNoMoreThanAProblem() throws IOException {
        Path input = write("in.jsonl", "{\"prompt\":\"x\",\"ban\":[%s5]}\n{\"prompt\":\"x\",\"stop\":[%s\"a\"]}\n"
                .formatted("5,".repeat(9_999), "\"a\",".repeat(20_000)));
        Path output = folder.resolve("out.jsonl");
        assertThat(JOB.run(llama, input, output).succeeded()).isEqualTo(1);
        assertThat(Files.readString(output)).contains("{\"id\":2,\"error\":\"line 2: stop has 20,001 elements; at most 10,000 are possible\"}");
    }

    @Test
    void anOutputThatIsThereIsLeftAlone() throws IOException {
        Path input = write("in.jsonl", "{\"prompt\":\"x\"}\n");
        Path output = write("out.jsonl", "somebody's\n");
        assertThatThrownBy(() -> JOB.run(llama, input, output)).isInstanceOf(YangtuoException.class).hasMessageContaining("is there already; overwrite it, or");
        assertThatThrownBy(() -> JOB.resume(true).run(llama, input, output)).hasMessageContaining("there is no journal");
        assertThat(Files.readString(output)).isEqualTo("somebody's\n");
        assertThat(JOB.overwrite(true).run(llama, input, output).requests()).isEqualTo(1);
        assertThat(Files.readString(output)).startsWith("{\"id\":1,\"text\":");
        assertThatThrownBy(() -> JOB.run(llama, input, output)).hasMessageContaining("is there already; resume it, overwrite it");
    }

    @Test
    void aBatchIsCancelledAndResumed() throws IOException {
        StringBuilder lines = new StringBuilder();
        for (int i = 0; i < 60; i++) {
            lines.append("{\"id\":\"%d\",\"prompt\":\"In the beginning %d\",\"max_tokens\":%d}\n".formatted(i, i, 1 + i % 7));
        }
        Path input = write("in.jsonl", lines.toString());
        Path undisturbed = folder.resolve("undisturbed.jsonl");
        JOB.run(llama, input, undisturbed);
        Path output = folder.resolve("out.jsonl");
        BatchCancellation cancellation = new BatchCancellation();
        BatchJob cancelled = JOB.inFlight(4).cancellation(cancellation).listener(new BatchListener() {
            @Override
            public void onResult(BatchResult result) {
                if (result.number() == 20) {
                    cancellation.cancel();
                }
            }
        });
        BatchSummary first = cancelled.run(llama, input, output);
        assertThat(first.complete()).isFalse();
        assertThat(first.requests()).isBetween(20L, 59L);
        List<BatchProgress> progress = new ArrayList<>();
        BatchSummary second = JOB.resume(true).listener(new BatchListener() {
            @Override
            public void onProgress(BatchProgress now) {
                progress.add(now);
            }
        }).run(llama, input, output);
        assertThat(second.complete()).isTrue();
        assertThat(second.requests()).isEqualTo(60);
        assertThat(second.resumedRequests()).isEqualTo(first.requests());
        assertThat(Files.readString(output)).isEqualTo(Files.readString(undisturbed));
        assertThat(progress.getLast().requests()).isEqualTo(60);
        assertThat(progress.getLast().inputBytes()).isEqualTo(Files.size(input)).isEqualTo(progress.getLast().inputSize());
        assertThat(JOB.resume(true).run(llama, input, output).resumedRequests()).as("resumed when it is complete").isEqualTo(60);
        Files.writeString(input, "{\"prompt\":\"one more\"}\n", StandardOpenOption.APPEND);
        assertThatThrownBy(() -> JOB.resume(true).run(llama, input, output)).hasMessageContaining("input was '").hasMessageContaining("cannot be resumed with this one");
    }

    @Test
    void anotherModelIsRefused() throws IOException {
        Path input = write("in.jsonl", "{\"prompt\":\"x\"}\n");
        Path output = folder.resolve("out.jsonl");
        JOB.run(llama, input, output);
        try (Llama other = Llama.load(TINY, LoadOptions.defaults().lora(Path.of("src/test/resources/models/tiny/plain")))) {
            assertThatThrownBy(() -> JOB.resume(true).run(other, input, output)).isInstanceOf(YangtuoException.class).hasMessageContaining("model was '");
        }
        assertThat(JOB.resume(true).run(llama, input, output).requests()).isEqualTo(1);
    }

    @Test
    void filesThatCannotBeUsedAreNamed() throws IOException {
        Path input = write("in.csv", "id,question\n1,x\n");
        Path output = folder.resolve("out.jsonl");
        assertThatThrownBy(() -> JOB.run(llama, input, output)).isInstanceOf(YangtuoException.class)
                .hasMessageContaining(input + ", line 1: there is no column 'prompt'; the columns are 'id, question'");
        assertThatThrownBy(() -> JOB.overwrite(true).run(llama, input, input)).hasMessageContaining("is the input and the output");
        assertThatThrownBy(() -> JOB.run(llama, folder, output)).hasMessageContaining("is no regular file");
        assertThatThrownBy(() -> JOB.run(llama, folder.resolve("none"), output)).hasMessageContaining("there is no such file");
        assertThatThrownBy(() -> JOB.columns("id", "question").run(llama, input, folder.resolve("a/b"))).hasMessageContaining("there is no directory");
        Path empty = write("empty.csv", "");
        assertThatThrownBy(() -> JOB.run(llama, empty, folder.resolve("o2"))).hasMessageContaining("line 1: is no header");
        Path twice = write("twice.csv", "prompt,prompt\n");
        assertThatThrownBy(() -> JOB.run(llama, twice, folder.resolve("o3"))).hasMessageContaining("several columns 'prompt'");
    }

    @Test
    void anEmptyInputGivesAnEmptyOutput() throws IOException {
        Path output = folder.resolve("out.jsonl");
        BatchSummary summary = JOB.run(llama, write("in.jsonl", "\n\n"), output);
        assertThat(summary.requests()).isZero();
        assertThat(summary.complete()).isTrue();
        assertThat(output).isEmptyFile();
    }

    @Test
    void aLineThatIsTooLongIsAnError() {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        String input = "{\"prompt\":\"" + "x".repeat(100) + "\"}\n{\"prompt\":\"x\"}\n";
        JOB.lineLimit(50).run(llama, new ByteArrayInputStream(input.getBytes(StandardCharsets.UTF_8)), "x.jsonl", out);
        assertThat(out.toString(StandardCharsets.UTF_8).lines()).hasSize(2).first().asString()
                .isEqualTo("{\"id\":1,\"error\":\"line 1: is longer than 50 bytes; shorten it, or allow longer lines\"}");
    }
}
