package dev.yangtuo.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import picocli.CommandLine.Model.CommandSpec;

/** What {@code --help} has, of every command. */
class HelpTest {
    static Stream<String> commands() {
        return CommandTree.names();
    }

    private static String help(String command) {
        List<Object> words = new ArrayList<>(CommandTree.words(command));
        words.add("--help");
        CommandRun run = CommandRun.of(words.toArray());
        assertThat(run.exitCode()).as(run.errors()).isZero();
        assertThat(run.errors()).isEmpty();
        return run.text();
    }

    @ParameterizedTest
    @MethodSource("commands")
    void everyCommandHasExamplesThatParse(String name) {
        CommandSpec command = CommandTree.named(name);
        List<String> examples = HelpLayout.examples(command);
        assertThat(examples).as("lines of the footer of '%s' that begin with two blanks and the command", name).isNotEmpty();
        assertThat(examples).anyMatch(example -> (example + " ").contains(name + " "));
        for (String example : examples) {
            // What is piped into yangtuo, or out of it, is not ours.
            List<ShellLine> ours = ShellLine.parse(example).stream().filter(line -> line.words().getFirst().equals("yangtuo")).toList();
            assertThat(ours).as("'%s' has an example without yangtuo: %s", name, example).isNotEmpty();
            for (ShellLine line : ours) {
                String[] arguments = line.words().subList(1, line.words().size()).toArray(String[]::new);
                assertThatCode(() -> CommandTree.fresh().parseArgs(arguments)).as(example).doesNotThrowAnyException();
            }
        }
    }

    @ParameterizedTest
    @MethodSource("commands")
    void itsPartsAreTheSameInTheSameOrder(String name) {
        String help = help(name);
        assertThat(help).startsWith("Usage: " + name);
        List<String> headings = help.lines().filter(line -> line.matches("[A-Z][a-z ]+:")).toList();
        List<String> order = Stream.of("Parameters:", "Options:", "Commands:", "Environment:", "Examples:", "Exit codes:").filter(headings::contains).toList();
        assertThat(headings).isEqualTo(order).contains("Options:", "Examples:", "Exit codes:");
        assertThat(help).doesNotContain("@|", "%n", "\u001b");
        assertThat(help.lines().dropWhile(line -> !line.equals("Exit codes:")).skip(1).map(line -> line.strip().split(" ")[0]).toList())
                .isEqualTo(List.copyOf(HelpLayout.EXIT_CODES.keySet()));
        String examples = HelpLayout.examples(CommandTree.named(name)).stream()
                .map(example -> example.indent(2).replace("\n", System.lineSeparator())).collect(Collectors.joining());
        assertThat(help).as("examples are not wrapped").contains("Examples:" + System.lineSeparator() + examples);
    }

    @ParameterizedTest
    @MethodSource("commands")
    void itSaysInASentenceWhatTheCommandDoes(String name) {
        String[] description = CommandTree.named(name).usageMessage().description();
        assertThat(description).isNotEmpty();
        assertThat(description[0]).matches("(?s)[A-Z].*[.:]");
        HelpLayout.notes(CommandTree.named(name)).forEach(note -> assertThat(note).as(name).matches("(?s).*[.:]"));
    }
}
