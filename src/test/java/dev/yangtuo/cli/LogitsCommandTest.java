package dev.yangtuo.cli;

import static dev.yangtuo.cli.CommandRun.TINY;
import static dev.yangtuo.cli.CommandRun.TINY_ADAPTER;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What {@code logits} writes, and that nothing else is touched. */
class LogitsCommandTest {
    /** What the issue of the first path allows between these logits and PyTorch's. */
    private static final float TOLERANCE = 2e-3f;

    @TempDir
    private Path directory;

    private static CommandRun logits(String ids, Path output, Object... more) {
        List<Object> args = new ArrayList<>(List.of("logits", "--model", TINY, "--ids", ids, "--output", output));
        args.addAll(List.of(more));
        return CommandRun.of(args.toArray());
    }

    private static float[] floats(Path file) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
        float[] values = new float[bytes.remaining() / Float.BYTES];
        bytes.asFloatBuffer().get(values);
        return values;
    }

    private static String goldenIds(Path golden, String separator) throws IOException {
        List<String> ids = new ArrayList<>();
        new ObjectMapper().readTree(golden.resolve("case.json").toFile()).get("ids").forEach(id -> ids.add(id.asText()));
        return String.join(separator, ids);
    }

    private List<String> files() throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"native", "scalar"})
    void valuesAreTheReferences(String backend) throws IOException {
        Path base = directory.resolve("base.f32");
        Path adapted = directory.resolve("adapted.f32");
        assertThat(logits(goldenIds(TINY, ","), base, "--backend", backend).exitCode()).isZero();
        assertThat(logits(goldenIds(TINY_ADAPTER, ","), adapted, "--backend", backend, "--lora", TINY_ADAPTER).exitCode()).isZero();
        assertThat(base).hasSize(24L * 3000 * Float.BYTES);
        assertThat(floats(base)).containsExactly(floats(TINY.resolve("logits.f32")), within(TOLERANCE));
        assertThat(floats(adapted)).containsExactly(floats(TINY_ADAPTER.resolve("logits.f32")), within(TOLERANCE));
        assertThat(files()).containsExactly("adapted.f32", "base.f32");
    }

    @Test
    void standardOutputStaysEmpty() {
        CommandRun run = logits("1,2", directory.resolve("out"));
        assertThat(run.output()).isEmpty();
        assertThat(run.errors()).contains("2 x 3000 float32", "weights f32");
    }

    @Test
    void jsonSaysWhatTheFileHolds() throws IOException {
        Path output = directory.resolve("out");
        assertThat(new ObjectMapper().readTree(logits("1,2", output, "--json").text()))
                .isEqualTo(new ObjectMapper().readTree("{\"output\":\"%s\",\"tokens\":2,\"vocab_size\":3000}".formatted(output)));
    }

    @Test
    void idsMayHaveSpacesAroundTheirCommas() throws IOException {
        assertThat(logits("1, 182 ,353", directory.resolve("spaced")).exitCode()).isZero();
        assertThat(logits("1,182,353", directory.resolve("plain")).exitCode()).isZero();
        assertThat(directory.resolve("spaced")).hasSameBinaryContentAs(directory.resolve("plain"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"3000", "1,99999999", "-1", "1,-2147483648"})
    void idsOutsideTheVocabularyAreNamedAndNothingIsLeft(String ids) throws IOException {
        CommandRun run = logits(ids, directory.resolve("out"));
        assertThat(run.exitCode()).isEqualTo(1);
        assertThat(run.problem()).contains("token id " + ids.substring(ids.indexOf(',') + 1), "vocabulary of 3000");
        assertThat(files()).isEmpty();
    }

    @Test
    void moreIdsThanTheContextTakesAreRefused() throws IOException {
        CommandRun run = logits("1,2,3,4", directory.resolve("out"), "--context", "3");
        assertThat(run.exitCode()).isEqualTo(1);
        assertThat(run.problem()).contains("4 tokens", "takes 3");
        assertThat(files()).isEmpty();
    }

    @Test
    void aDirectoryAsOutputIsRefusedBeforeTheModelIsLoaded() {
        CommandRun run = logits("1", directory);
        assertThat(run.exitCode()).isEqualTo(1);
        assertThat(run.problem()).contains(directory + ": is a directory");
        assertThat(run.errors()).doesNotContain("loaded");
    }

    @Test
    void aMissingDirectoryIsRefusedBeforeTheModelIsLoaded() throws IOException {
        CommandRun run = logits("1", directory.resolve("no/out"));
        assertThat(run.exitCode()).isEqualTo(1);
        assertThat(run.problem()).contains("there is no directory", directory.resolve("no").toString());
        assertThat(run.errors()).doesNotContain("loaded");
        assertThat(files()).isEmpty();
    }

    @Test
    void aFailureLeavesTheFormerFileAsItWas() throws IOException {
        Path output = Files.writeString(directory.resolve("out"), "former");
        assertThat(logits("5000", output).exitCode()).isEqualTo(1);
        assertThat(output).hasContent("former");
        assertThat(files()).containsExactly("out");
        assertThat(logits("5", output).exitCode()).isZero();
        assertThat(output).hasSize(3000L * Float.BYTES);
    }

    @Test
    void aLinkGoesOnPointingToItsFile() throws IOException {
        Path file = Files.writeString(directory.resolve("file"), "former");
        Path link = Files.createSymbolicLink(directory.resolve("link"), Path.of("file"));
        assertThat(logits("5", link).exitCode()).isZero();
        assertThat(link).isSymbolicLink();
        assertThat(file).hasSize(3000L * Float.BYTES);
    }

    /** A device is no different; but a test that failed would have replaced it. */
    @Test
    void aPipeIsWrittenToAndNotReplaced() throws Exception {
        Path pipe = directory.resolve("pipe");
        boolean made = false;
        try {
            made = new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor() == 0;
        } catch (IOException e) {
            made = false;
        }
        assumeTrue(made, "there is no mkfifo");
        CompletableFuture<byte[]> reader = CompletableFuture.supplyAsync(() -> {
            try {
                return Files.readAllBytes(pipe);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
        assertThat(logits("5", pipe).exitCode()).isZero();
        assertThat(reader.get(20, TimeUnit.SECONDS)).hasSize(3000 * Float.BYTES);
        assertThat(Files.isRegularFile(pipe)).isFalse();
        assertThat(files()).containsExactly("pipe");
    }
}
