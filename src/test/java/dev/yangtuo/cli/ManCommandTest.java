package dev.yangtuo.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import picocli.CommandLine.Model.OptionSpec;

/** The manual pages. */
class ManCommandTest {
    @TempDir
    private Path directory;

    static Stream<String> commands() {
        return CommandTree.names();
    }

    private static String page(String command) {
        CommandRun run = CommandRun.of(Stream.concat(Stream.of("man"), CommandTree.words(command).stream()).toArray());
        assertThat(run.exitCode()).as(run.errors()).isZero();
        return run.text();
    }

    @ParameterizedTest
    @MethodSource("commands")
    void everyCommandHasItsPage(String command) {
        String page = page(command);
        assertThat(page).startsWith(".TH \"" + command.toUpperCase(Locale.ROOT).replace(' ', '-').replace("-", "\\-") + "\" 1 ");
        assertThat(page.lines().filter(line -> line.startsWith(".SH ")).map(line -> line.substring(4)))
                .containsSubsequence("NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXAMPLES", "EXIT STATUS");
        assertThat(page.chars()).as("ASCII").allMatch(c -> c < 0x80);
        for (OptionSpec option : CommandTree.named(command).options()) {
            assertThat(page).contains("\\fB" + option.longestName().replace("-", "\\-") + "\\fR");
        }
        assertThat(page.lines().filter(line -> line.startsWith("."))).allMatch(line -> line.matches("\\.(TH|SH|B) .*|\\.(TP|PP|nf|fi|nh|ad l)"));
    }

    @ParameterizedTest
    @MethodSource("commands")
    void groffHasNothingToSayAboutIt(String command) throws Exception {
        assumeTrue(Files.isExecutable(Path.of("/usr/bin/groff")), "groff is not here");
        Path file = Files.writeString(directory.resolve("page.1"), page(command));
        Process process = new ProcessBuilder("groff", "-man", "-ww", "-Tutf8", "-P-cbou", file.toString()).redirectError(directory.resolve("warnings").toFile()).start();
        String shown = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
        assertThat(directory.resolve("warnings")).content().isEmpty();
        assertThat(shown).contains(command.replace(' ', '-') + " - ");
        for (String example : HelpLayout.examples(CommandTree.named(command))) {
            assertThat(shown.lines().map(String::strip)).containsAll(example.lines().map(String::strip).toList());
        }
    }

    @Test
    void allPagesGoIntoAFolder() throws IOException {
        Path folder = directory.resolve("share/man1");
        CommandRun run = CommandRun.of("man", "--output", folder);
        assertThat(run.exitCode()).as(run.errors()).isZero();
        assertThat(run.output()).isEmpty();
        try (Stream<Path> files = Files.list(folder)) {
            List<String> names = files.map(file -> file.getFileName().toString()).toList();
            assertThat(names).containsExactlyInAnyOrderElementsOf(commands().map(name -> name.replace(' ', '-') + ".1").toList());
        }
        assertThat(folder.resolve("yangtuo-merge-vocab.1")).hasContent(page("yangtuo merge-vocab"));
        assertThat(CommandRun.of("man", "--output", folder.resolve("yangtuo.1")).problem()).contains("yangtuo.1: the folder cannot be made");
    }
}
