package dev.yangtuo.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/** The rules for options that docs/command-line.md has, held against every option of every command. */
class OptionRulesTest {
    /** Labels of places: which of them it is depends on the command. */
    private static final Set<String> PLACES = Set.of("FILE", "PATH", "DIR");

    /** Commands whose result is a text for a shell, for man or for a person who types along; and {@code batch}, whose results and summary are JSON anyway. */
    private static final Set<String> WITHOUT_JSON =
            Set.of("yangtuo", "yangtuo help", "yangtuo completion", "yangtuo man", "yangtuo chat", "yangtuo batch");

    static Stream<String> commands() {
        return CommandTree.names();
    }

    private static List<OptionSpec> options(String command) {
        return CommandTree.named(command).options();
    }

    @ParameterizedTest
    @MethodSource("commands")
    void namesAreWordsWithHyphensOrSingleLetters(String command) {
        for (OptionSpec option : options(command)) {
            assertThat(option.names()).as(command).allMatch(name -> name.matches("--[a-z0-9]+(-[a-z0-9]+)*") || name.matches("-[a-zA-Z]"));
            assertThat(option.longestName()).as("%s: every option has a long name", command).startsWith("--");
        }
    }

    @ParameterizedTest
    @MethodSource("commands")
    void descriptionsAreSentencesAndNameTheDefault(String command) {
        CommandSpec spec = CommandTree.named(command);
        for (ArgSpec argument : spec.args()) {
            String name = argument.isOption() ? ((OptionSpec) argument).longestName() : argument.paramLabel();
            String description = String.join(" ", argument.description());
            assertThat(description).as("%s %s", command, name).endsWith(".");
            assertThat(description).as("%s %s", command, name).doesNotContain("(the default)", "(default", "default:");
            if (hasDefault(argument)) {
                assertThat(description).as("%s %s has a default", command, name).contains("Default: ");
            }
        }
    }

    /** Whether picocli knows of a value that counts when none is given; what is decided later is null until then. */
    private static boolean hasDefault(ArgSpec argument) {
        if (argument.defaultValue() != null) {
            return true;
        }
        Object initial = argument.initialValue();
        return initial != null && !(initial instanceof Boolean) && !(initial instanceof Collection<?> list && list.isEmpty());
    }

    @ParameterizedTest
    @MethodSource("commands")
    void labelsAreCapitalWords(String command) {
        for (ArgSpec argument : CommandTree.named(command).args()) {
            if (argument.isPositional() || argument.arity().max() > 0) {
                // A shell's variable is named after it, too.
                assertThat(argument.paramLabel()).as("%s %s", command, String.join(" ", argument.description())).matches("[A-Z]+[A-Z0-9_:\\[\\]=|,-]*");
            }
        }
    }

    @Test
    void oneNameMeansOneThing() {
        Map<String, String> first = new HashMap<>();
        List<String> differences = new ArrayList<>();
        for (CommandSpec command : CommandTree.all()) {
            for (OptionSpec option : command.options()) {
                String name = option.longestName();
                String value = option.arity().max() == 0 ? "no value" : PLACES.contains(option.paramLabel()) ? "a place" : option.paramLabel();
                String meaning = new TreeSet<>(List.of(option.names())) + " with " + value;
                String before = first.putIfAbsent(name, meaning);
                if (before != null && !before.equals(meaning)) {
                    differences.add("%s %s: %s, elsewhere %s".formatted(command.qualifiedName(), name, meaning, before));
                }
            }
        }
        assertThat(differences).isEmpty();
    }

    @Test
    void everyCommandWithResultsCanWriteThemAsJson() {
        assertThat(CommandTree.all().stream().filter(command -> command.subcommands().isEmpty() && command.findOption("--json") == null)
                .map(CommandSpec::qualifiedName)).isSubsetOf(WITHOUT_JSON);
        assertThat(CommandTree.all()).filteredOn(command -> command.findOption("--json") != null)
                .allSatisfy(command -> assertThat(command.findOption("--json").arity().max()).as(command.qualifiedName()).isZero());
    }

    @Test
    void everyCommandCanSayWhereItFailed() {
        assertThat(CommandTree.all()).filteredOn(command -> command.parent() != null)
                .allSatisfy(command -> assertThat(command.findOption("--verbose")).as(command.qualifiedName()).isNotNull());
    }
}
