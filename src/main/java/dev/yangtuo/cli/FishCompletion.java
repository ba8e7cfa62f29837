package dev.yangtuo.cli;

import java.util.List;
import java.util.stream.Collectors;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/** The script for fish: one {@code complete} for each command and each option. */
final class FishCompletion {
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
        Completions.all(root).forEach(completion::add);
        return completion.script.toString();
    }

    private void add(Completions.Entry entry) {
        String first = quoted(beforeAnySubcommand(entry));
        for (CommandSpec each : entry.subcommands()) {
            append("-n %s -a %s -d %s".formatted(first, each.name(), quoted(Completions.summary(each.usageMessage().description()))));
        }
        String here = quoted(entry.path().isEmpty() ? beforeAnySubcommand(entry) : seen(entry.path()));
        for (OptionSpec option : entry.options()) {
            append("-n %s%s%s -d %s".formatted(here, names(option), value(option), quoted(Completions.summary(option.description()))));
        }
        if (entry.takesFiles()) {
            append("-n %s -F".formatted(here));
        } else if (entry.subcommands().isEmpty() && !entry.words().isEmpty()) {
            append("-n %s -a %s".formatted(here, quoted(String.join(" ", entry.words()))));
        }
    }

    /** True where the next word may be one of the command's subcommands. */
    private static String beforeAnySubcommand(Completions.Entry entry) {
        if (entry.path().isEmpty()) {
            return "__fish_use_subcommand";
        }
        String names = entry.subcommands().stream().map(CommandSpec::name).collect(Collectors.joining(" "));
        return "%s; and not __fish_seen_subcommand_from %s".formatted(seen(entry.path()), names);
    }

    private static String seen(List<String> path) {
        return path.stream().map("__fish_seen_subcommand_from %s"::formatted).collect(Collectors.joining("; and "));
    }

    private static String names(OptionSpec option) {
        StringBuilder text = new StringBuilder();
        for (String name : option.names()) {
            text.append(name.startsWith("--") ? " -l " : " -s ").append(name.replaceFirst("^--?", ""));
        }
        return text.toString();
    }

    /** What may stand behind an option: nothing, one of a few words, files, or anything. What may be left out stands behind = alone. */
    private static String value(OptionSpec option) {
        List<String> values = Completions.values(option);
        if (option.arity().max() == 0) {
            return "";
        }
        if (values != null) {
            return " -x -a " + quoted(String.join(" ", values));
        }
        if (Completions.isFile(option)) {
            return Completions.takesValue(option) ? " -r -F" : " -F";
        }
        return Completions.takesValue(option) ? " -x" : "";
    }

    private static String quoted(String text) {
        return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'";
    }

    private void append(String options) {
        script.append("complete -c ").append(program).append(' ').append(options).append('\n');
    }
}
