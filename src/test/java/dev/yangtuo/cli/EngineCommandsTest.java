package dev.yangtuo.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.yangtuo.llamacpp.SharedLibrary;
import dev.yangtuo.llamacpp.SyntheticGguf;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The commands with llama.cpp, on the demonstration model and on one of an architecture that our engine does not know. */
class EngineCommandsTest {
    @TempDir
    private static Path folder;

    private static Path qwen2;

    @BeforeAll
    static void write() throws Exception {
        qwen2 = SyntheticGguf.writeQwen2(folder.resolve("qwen2.gguf"));
        Files.writeString(folder.resolve("text.txt"), "Once upon a time there was a hill. ".repeat(30));
        Files.writeString(folder.resolve("batch.jsonl"), "{\"prompt\":\"山\"}\n{\"prompt\":\"hill\"}\n");
    }

    private static CommandRun run(String command, String... more) {
        List<String> arguments = new ArrayList<>(List.of(command.replace("FOLDER", folder.toString()).split(" ")));
        arguments.addAll(List.of(more));
        return CommandRun.of(arguments.toArray());
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "generate --prompt hill --max-tokens 4 --seed 1 -t 1",
        "batch --input FOLDER/batch.jsonl --output - --max-tokens 4 -t 1",
        "perplexity --text FOLDER/text.txt --context 64 -t 1",
        "bench -p 16 -n 2 -r 1 -t 1 --backend scalar",
        "score --prompt hill --continuation time -t 1",
        "embed --prompt hill -t 1",
        "logits --ids 1,2 --output FOLDER/logits.npy -t 1"
    })
    void everyCommandRunsWithLlamaCpp(String command) {
        SharedLibrary.assumed();
        CommandRun demo = run(command, "--engine", "llama.cpp");
        assertThat(demo.exitCode()).as(demo.errors()).isZero();
        CommandRun other = run(command, "--model", qwen2.toString());
        assertThat(other.exitCode()).as(other.errors()).isZero();
        if (!command.startsWith("bench")) {
            assertThat(demo.errors()).contains("llama.cpp");
            assertThat(other.errors()).contains("llama.cpp");
        }
    }

    @Test
    void ourEngineSaysWhatItCannotRun() {
        CommandRun run = run("generate --prompt hill --engine yangtuo", "--model", qwen2.toString());
        assertThat(run.exitCode()).isEqualTo(1);
        assertThat(run.errors()).contains("'qwen2'").contains("engine llama.cpp");
    }

    @Test
    void autoSaysWhatIsMissing() {
        CommandRun run = run("generate --prompt hill --engine-path FOLDER", "--model", qwen2.toString());
        assertThat(run.exitCode()).isEqualTo(1);
        assertThat(run.problem()).contains("'qwen2'").contains("llama.cpp, which may run it, is not on this machine").contains("docs/llama-cpp.md");
    }

    @Test
    void aPathWithoutALibraryIsNamed() {
        CommandRun run = run("generate --prompt hill --engine llama.cpp --engine-path FOLDER");
        assertThat(run.exitCode()).isEqualTo(1);
        assertThat(run.errors()).contains(folder.toString()).contains("docs/llama-cpp.md");
    }

    /** Without the library who has misspelt a device is not left with that alone. */
    @Test
    void aDeviceThatOursDoesNotKnowIsNamedBesideThoseThatItKnows() {
        CommandRun misspelt = run("generate --prompt hill --device gpu --engine-path FOLDER");
        assertThat(misspelt.exitCode()).isEqualTo(1);
        assertThat(misspelt.problem()).contains("the device 'gpu'", "cpu, auto, cuda, and cuda:0", "docs/llama-cpp.md");
        assertThat(run("generate --prompt hill --gpu-layers 3 --engine-path FOLDER").problem()).contains("layers on GPUs without a device", "cuda:0");
    }

    @Test
    void valuesThatAreNoneAreNamed() {
        assertThat(run("generate --engine gguf").errors()).contains("'gguf' is not an engine").contains("llama.cpp");
        assertThat(run("generate --gpu-layers -1").errors()).contains("gpu-layers is -1");
        assertThat(run("generate --flash-attention maybe").errors()).contains("auto, on, off");
    }

    @Test
    void aFileCutInHalfIsRefusedByBothEngines() throws Exception {
        SharedLibrary.assumed();
        byte[] whole = Files.readAllBytes(qwen2);
        Path half = Files.write(folder.resolve("half.gguf"), Arrays.copyOf(whole, whole.length / 2));
        for (String engine : List.of("yangtuo", "llama.cpp")) {
            CommandRun run = run("generate --prompt hill --engine", engine, "--model", half.toString());
            assertThat(run.exitCode()).isEqualTo(1);
            assertThat(run.errors()).contains(half.toString()).contains("the file ends at");
        }
    }
}
