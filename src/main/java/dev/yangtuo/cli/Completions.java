package dev.yangtuo.cli;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/**
 * What a shell can offer on a command line, taken from the commands themselves; {@link BashCompletion}, {@link ZshCompletion} and {@link FishCompletion} write it
 * down for their shells. picocli's own script for bash is not used: it mixes up values of options with the same label, takes every word that is called as a
 * command for one, and offers no files where an option's type is text.
 */
final class Completions {
    /** Labels of values that are names of files. */
    private static final Set<String> FILES = Set.of("FILE", "PATH", "DIR", "PATH[:SCALE]");

    private Completions() {}

    /**
     * A command.
     *
     * @param path the names of the commands above it and its own, without the program's
     */
    record Entry(List<String> path, CommandSpec command) {
        List<CommandSpec> subcommands() {
            return command.subcommands().values().stream().distinct().map(CommandLine::getCommandSpec).filter(each -> !each.usageMessage().hidden()).toList();
        }

        List<OptionSpec> options() {
            return command.options().stream().filter(option -> !option.hidden()).toList();
        }

        /** What may stand behind the command: names of the commands below it, or values of its first parameter; empty if that is anything. */
        List<String> words() {
            List<String> words = new ArrayList<>(subcommands().stream().map(CommandSpec::name).toList());
            command.positionalParameters().stream().findFirst().map(Completions::values).ifPresent(words::addAll);
            return words;
        }

        /** Whether files may stand behind the command. */
        boolean takesFiles() {
            return command.positionalParameters().stream().anyMatch(Completions::isFile);
        }
    }

    /** The program's own entry and every command below it. */
    static List<Entry> all(CommandSpec root) {
        List<Entry> entries = new ArrayList<>();
        add(new Entry(List.of(), root), entries);
        return entries;
    }

    private static void add(Entry entry, List<Entry> entries) {
        entries.add(entry);
        for (CommandSpec each : entry.subcommands()) {
            List<String> path = new ArrayList<>(entry.path);
            path.add(each.name());
            add(new Entry(path, each), entries);
        }
    }

    /** Whether a value stands behind the option, as a word of its own. */
    static boolean takesValue(OptionSpec option) {
        return option.arity().min() > 0;
    }

    /** Whether a value may stand behind the option and {@code =} alone. */
    static boolean mayTakeValue(OptionSpec option) {
        return option.arity().min() == 0 && option.arity().max() > 0;
    }

    /** The few values that there are; null if there are any others. */
    static @Nullable List<String> values(ArgSpec argument) {
        Iterable<String> candidates = argument.completionCandidates();
        return candidates == null ? null : StreamSupport.stream(candidates.spliterator(), false).toList();
    }

    static boolean isFile(ArgSpec argument) {
        return FILES.contains(argument.paramLabel());
    }

    /** All names of the options. */
    static List<String> names(List<OptionSpec> options) {
        return options.stream().flatMap(option -> Arrays.stream(option.names())).toList();
    }

    /** What stands beside a name in a list: a sentence without its full stop. */
    static String summary(String[] description) {
        return description.length == 0 ? "" : HelpLayout.firstSentence(description[0]);
    }
}
