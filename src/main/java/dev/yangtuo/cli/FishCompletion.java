package dev.yangtuo.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;
import picocli.CommandLine;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/** The script that lets fish complete command lines, made from the commands themselves: one {@code complete} for each command and each option. */
final class FishCompletion {
    /** Labels of values that are names of files. */
    private static final Set<String> FILES = Set.of("FILE", "PATH", "DIR");

    private final String program;
    private final StringBuilder script = new StringBuilder();

    private FishCompletion(String program) {
        this.program = program;
    }

    /** @param root the command that has all others below it */
    static String of(CommandSpec root) {
        FishCompletion completion = new FishCompletion(root.name());
        completion.script.append("# Completion of ").append(root.name()).append(" for fish.\n");
        completion.append("-f"); // no files, unless something asks for them
        completion.add(root, List.of());
        return completion.script.toString();
    }

    /** @param path the names of the commands above it and its own, without the program's */
    private void add(CommandSpec command, List<String> path) {
        String here = condition(command, path);
        for (CommandSpec each : subcommands(command)) {
            append("-n %s -a %s -d %s".formatted(quoted(here), each.name(), quoted(summary(each.usageMessage().description()))));
        }
        String there = path.isEmpty() ? here : seen(path);
        for (OptionSpec option : command.options()) {
            if (!option.hidden()) {
                append("-n %s%s%s -d %s".formatted(quoted(there), names(option), value(option), quoted(summary(option.description()))));
            }
        }
        if (command.positionalParameters().stream().anyMatch(FishCompletion::isFile)) {
            append("-n %s -F".formatted(quoted(there)));
        }
        command.positionalParameters().stream().filter(each -> each.completionCandidates() != null).forEach(
                each -> append("-n %s -a %s".formatted(quoted(there), quoted(candidates(each)))));
        for (CommandSpec each : subcommands(command)) {
            List<String> longer = new ArrayList<>(path);
            longer.add(each.name());
            add(each, longer);
        }
    }

    /** True where the next word may be one of the command's subcommands. */
    private static String condition(CommandSpec command, List<String> path) {
        if (path.isEmpty()) {
            return "__fish_use_subcommand";
        }
        String names = subcommands(command).stream().map(CommandSpec::name).collect(Collectors.joining(" "));
        return names.isEmpty() ? seen(path) : "%s; and not __fish_seen_subcommand_from %s".formatted(seen(path), names);
    }

    private static String seen(List<String> path) {
        return path.stream().map("__fish_seen_subcommand_from %s"::formatted).collect(Collectors.joining("; and "));
    }

    private static List<CommandSpec> subcommands(CommandSpec command) {
        return command.subcommands().values().stream().distinct().map(CommandLine::getCommandSpec).filter(each -> !each.usageMessage().hidden()).toList();
    }

    private static String names(OptionSpec option) {
        StringBuilder text = new StringBuilder();
        for (String name : option.names()) {
            text.append(name.startsWith("--") ? " -l " : " -s ").append(name.replaceFirst("^--?", ""));
        }
        return text.toString();
    }

    /** What may stand behind an option: nothing, words from a list, files, or anything. */
    private static String value(OptionSpec option) {
        if (option.arity().max() == 0) {
            return "";
        }
        if (option.completionCandidates() != null) {
            return " -x -a " + quoted(candidates(option));
        }
        // What may be left out belongs to the option only behind '='.
        String required = option.arity().min() == 0 ? "" : " -r";
        return isFile(option) ? required + " -F" : option.arity().min() == 0 ? "" : " -x";
    }

    private static String candidates(ArgSpec argument) {
        return StreamSupport.stream(argument.completionCandidates().spliterator(), false).collect(Collectors.joining(" "));
    }

    private static boolean isFile(ArgSpec argument) {
        return FILES.contains(argument.paramLabel());
    }

    private static String summary(String[] description) {
        return description.length == 0 ? "" : HelpLayout.firstSentence(description[0]);
    }

    private static String quoted(String text) {
        return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'";
    }

    private void append(String options) {
        script.append("complete -c ").append(program).append(' ').append(options).append('\n');
    }
}
