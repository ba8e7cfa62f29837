package dev.yangtuo.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;

/** The script for zsh: a function for each command, which hands its options to zsh's {@code _arguments}. It can be sourced, or found on {@code fpath}. */
final class ZshCompletion {
    private final StringBuilder script = new StringBuilder();

    private ZshCompletion() {}

    /** @param root the command that has all others below it */
    static String of(CommandSpec root) {
        ZshCompletion completion = new ZshCompletion();
        completion.script.append("#compdef %1$s\n# Completion of %1$s for zsh.\n".formatted(root.name()));
        for (Completions.Entry entry : Completions.all(root)) {
            completion.add(root, entry);
        }
        return completion.script.append("""
                if [[ $funcstack[1] == %1$s ]]; then
                    %1$s "$@"
                else
                    (( $+functions[compdef] )) || { autoload -Uz compinit && compinit; }
                    compdef %1$s %2$s
                fi
                """.formatted(function(root, List.of()), root.name())).toString();
    }

    private static String function(CommandSpec root, List<String> path) {
        return "_" + root.name() + path.stream().map(name -> "_" + name.replace('-', '_')).collect(Collectors.joining());
    }

    private void add(CommandSpec root, Completions.Entry entry) {
        List<String> arguments = new ArrayList<>();
        entry.options().forEach(option -> arguments.addAll(option(option)));
        List<CommandSpec> below = entry.subcommands();
        if (below.isEmpty()) {
            entry.command().positionalParameters().forEach(each -> arguments.add(parameter(each)));
        } else {
            arguments.add("'1: :->command'");
            arguments.add("'*:: :->arguments'");
        }
        script.append(function(root, entry.path())).append("() {\n");
        if (!below.isEmpty()) {
            script.append("    local curcontext=$curcontext state line\n    local -a commands\n");
        }
        script.append("    _arguments -C \\\n        ").append(String.join(" \\\n        ", arguments)).append('\n');
        if (!below.isEmpty()) {
            addDispatch(root, entry.path(), below);
        }
        script.append("}\n");
    }

    private void addDispatch(CommandSpec root, List<String> path, List<CommandSpec> below) {
        script.append("    case $state in\n        command)\n            commands=(\n");
        for (CommandSpec each : below) {
            String text = each.name() + ":" + Completions.summary(each.usageMessage().description());
            script.append("                ").append(quoted(text)).append('\n');
        }
        script.append("            )\n            _describe -t commands command commands ;;\n        arguments)\n            case $line[1] in\n");
        for (CommandSpec each : below) {
            List<String> longer = new ArrayList<>(path);
            longer.add(each.name());
            script.append("                %s) %s ;;\n".formatted(each.name(), function(root, longer)));
        }
        script.append("            esac ;;\n    esac\n");
    }

    /** One specification for each of its names, each with all of them as what is not offered beside it. */
    private static List<String> option(OptionSpec option) {
        boolean repeated = option.isMultiValue();
        String excluded = repeated ? "*" : "(" + String.join(" ", option.names()) + ")";
        List<String> specifications = new ArrayList<>();
        for (String name : option.names()) {
            String sign = Completions.takesValue(option) ? name.startsWith("--") ? "=" : "+" : Completions.mayTakeValue(option) ? "=-" : "";
            String value = Completions.takesValue(option) ? ":" + value(option) : Completions.mayTakeValue(option) ? "::" + value(option) : "";
            specifications.add(quoted(excluded + name + sign + "[" + escaped(Completions.summary(option.description())) + "]" + value));
        }
        return specifications;
    }

    private static String parameter(PositionalParamSpec parameter) {
        return quoted((parameter.isMultiValue() ? "*:" : ":") + value(parameter));
    }

    /** The label, and what is offered. */
    private static String value(ArgSpec argument) {
        List<String> values = Completions.values(argument);
        String action = values != null ? "(" + String.join(" ", values) + ")" : Completions.isFile(argument) ? "_files" : " ";
        return escaped(argument.paramLabel()) + ":" + action;
    }

    private static String escaped(String text) {
        return text.replaceAll("[\\\\:\\[\\]]", "\\\\$0");
    }

    private static String quoted(String text) {
        return "'" + text.replace("'", "'\\''") + "'";
    }
}
