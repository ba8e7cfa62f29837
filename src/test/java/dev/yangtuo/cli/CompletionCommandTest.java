package dev.yangtuo.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/** The completion scripts, read by the shells that are here. */
class CompletionCommandTest {
    /** What bash does when Tab is pressed behind the last of its arguments. */
    private static final String PRESS_TAB = """
            source "$1"; shift
            compopt() { echo "compopt $*"; }
            COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"; COMP_POINT=${#COMP_LINE}; COMP_TYPE=9; COMP_KEY=9
            function=$(complete -p yangtuo | sed 's/.* -F \\([^ ]*\\).*/\\1/')
            "$function"
            printf '%s\\n' "${COMPREPLY[@]}"
            """;

    @TempDir
    private Path directory;

    private Path script(String shell) throws IOException {
        CommandRun run = CommandRun.of("completion", shell);
        assertThat(run.exitCode()).as(run.errors()).isZero();
        assertThat(run.errors()).isEmpty();
        assertThat(run.text()).endsWith("\n").doesNotContain("\r");
        return Files.write(directory.resolve(shell), run.output());
    }

    private static String run(Object... command) throws IOException, InterruptedException {
        List<String> words = new ArrayList<>();
        for (Object word : command) {
            words.add(word.toString());
        }
        Process process = new ProcessBuilder(words).redirectErrorStream(true).start();
        process.getOutputStream().close();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).as(output).isZero();
        return output;
    }

    private static void assumeShell(String shell) {
        assumeTrue(Files.isExecutable(Path.of("/bin", shell)) || Files.isExecutable(Path.of("/usr/bin", shell)), shell + " is not here");
    }

    @ParameterizedTest
    @ValueSource(strings = {"bash", "zsh", "fish"})
    void theShellReadsItsScript(String shell) throws Exception {
        assumeShell(shell);
        assertThat(run(shell, "-n", script(shell))).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "gen | generate",
        "generate --quan | --quantize",
        "generate --quantize q4_k | q4_k_s q4_k_m",
        "generate --kv-type q | q8_0 q4_0",
        "bench --backend s | scalar",
        "bench --kv-type = q8 | q8_0",
        "generate --prompt bench --kv-type bf | bf16",
        "perplexity --method l | llama.cpp",
        "completion f | fish",
        "merge-vocab --ad | --add",
        "nothing-like-it | ''"
    })
    void bashCompletes(String typed, String completed) throws Exception {
        assumeShell("bash");
        assertThat(pressTab(typed).lines().filter(line -> !line.startsWith("compopt") && !line.isEmpty()).toList())
                .containsExactlyInAnyOrder(completed.isEmpty() ? new String[0] : completed.split(" "));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "yangtuo gen | generate",
        "yangtuo generate --quan | --quantize",
        "yangtuo generate --kv-type q | q8_0",
        "yangtuo completion f | fish"
    })
    void fishCompletes(String typed, String completed) throws Exception {
        assumeShell("fish");
        assertThat(run("fish", "--no-config", "-c", "source $argv[1]; complete --do-complete $argv[2]", script("fish"), typed)).contains(completed);
    }

    @Test
    void fishKnowsEveryCommandAndOption() throws IOException {
        String script = Files.readString(script("fish"));
        for (CommandSpec command : CommandTree.all()) {
            for (OptionSpec option : command.options()) {
                String condition = command.parent() == null ? "__fish_use_subcommand" : "__fish_seen_subcommand_from " + command.name();
                assertThat(script.lines()).as(command.qualifiedName() + option.longestName())
                        .anyMatch(line -> line.contains(condition) && line.contains(" -l " + option.longestName().substring(2) + " "));
            }
            if (command.parent() != null) {
                assertThat(script).contains(" -a " + command.name() + " -d '");
            }
        }
        assertThat(script).contains(" -l kv-type -x -a 'f16 f32 bf16 q8_0 q4_0' -d ", " -l model -r -F -d ", " -l json -d ");
        assertThat(script.lines().skip(1)).allMatch(line -> line.startsWith("complete -c yangtuo -"));
    }

    @Test
    void zshHasAFunctionForEveryCommand() throws Exception {
        String script = Files.readString(script("zsh"));
        for (CommandSpec command : CommandTree.all()) {
            String function = "_" + command.qualifiedName("_").replace('-', '_');
            assertThat(script).contains("\n" + function + "() {\n");
        }
        assertThat(script).contains("'(--kv-type)--kv-type=[Keep keys and values as f16, f32, bf16, q8_0 or q4_0]:TYPE:(f16 f32 bf16 q8_0 q4_0)'",
                "'*--lora=[", "PATH\\[\\:SCALE\\]:_files'", "'(--cache)--cache=-[", "::DIR:_files'", "'(-h --help)-h[");
        assumeShell("zsh");
        assertThat(run("zsh", "-f", "-c", "autoload -Uz compinit; compinit -u -D; source $1; print $_comps[yangtuo] $+functions[_yangtuo_merge_vocab]", "zsh",
                directory.resolve("zsh"))).isEqualTo("_yangtuo 1\n");
    }

    /** bash itself completes names of files where the function has no answer and leaves that on. */
    @ParameterizedTest
    @CsvSource({
        "generate --model mod, true",
        "generate --lora mod, true",
        "generate --cache = mod, true",
        "perplexity --text mod, true",
        "inspect mod, true",
        "generate --prompt mod, false",
        "generate --prompt inspect mod, false",
        "doctor mod, false",
        "mod, false"
    })
    void bashCompletesFilesWhereTheyAreMeant(String typed, boolean files) throws Exception {
        assumeShell("bash");
        String output = pressTab(typed);
        assertThat(output.lines().filter(line -> !line.isEmpty())).isEqualTo(files ? List.of() : List.of("compopt +o default"));
    }

    private String pressTab(String typed) throws Exception {
        List<Object> command = new ArrayList<>(List.of("bash", "-c", PRESS_TAB, "bash", script("bash"), "yangtuo"));
        command.addAll(List.of(typed.split(" ")));
        return run(command.toArray());
    }
}
