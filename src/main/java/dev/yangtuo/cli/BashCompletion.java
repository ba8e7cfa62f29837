package dev.yangtuo.cli;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/** The script for bash: one function, which finds the command in the words before the cursor and looks up what may follow. It needs nothing but bash. */
final class BashCompletion {
    private static final String BEGIN = """
            # Completion of %1$s for bash.
            _%1$s() {
                local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} command= options= words= i
                COMPREPLY=()
                # --option=value comes as three words.
                if [[ $current == = ]]; then
                    current=
                elif [[ $previous == = ]]; then
                    previous=${COMP_WORDS[COMP_CWORD - 2]}
                fi
                for ((i = 1; i < COMP_CWORD; i++)); do
                    case $command/${COMP_WORDS[i]} in
                        %2$s) command+=/${COMP_WORDS[i]} ;;
                    esac
                done
                case $command:$previous in
            """;
    private static final String BETWEEN = """
                esac
                case $command in
            """;
    /** Without an answer, bash completes names of files (-o default) unless that is turned off. */
    private static final String END = """
                esac
                if [[ $current == -* ]]; then
                    COMPREPLY=($(compgen -W "$options" -- "$current"))
                elif [[ $words == / ]]; then
                    return
                else
                    compopt +o default
                    COMPREPLY=($(compgen -W "$words" -- "$current"))
                fi
            }
            complete -o default -F _%1$s %1$s
            """;

    private BashCompletion() {}

    /** @param root the command that has all others below it */
    static String of(CommandSpec root) {
        List<Completions.Entry> entries = Completions.all(root);
        String commands = entries.stream().map(BashCompletion::path).filter(path -> !path.isEmpty()).collect(Collectors.joining(" | "));
        StringBuilder script = new StringBuilder(BEGIN.formatted(root.name(), commands));
        for (Completions.Entry entry : entries) {
            appendValues(entry, script);
        }
        script.append(BETWEEN);
        for (Completions.Entry entry : entries) {
            script.append("        '%s') options='%s' words='%s' ;;\n".formatted(path(entry), String.join(" ", Completions.names(entry.options())),
                    entry.takesFiles() ? "/" : String.join(" ", entry.words())));
        }
        return script.append(END.formatted(root.name())).toString();
    }

    private static String path(Completions.Entry entry) {
        return entry.path().stream().map("/"::concat).collect(Collectors.joining());
    }

    /** What may follow the options of a command. */
    private static void appendValues(Completions.Entry entry, StringBuilder script) {
        List<String> files = new ArrayList<>();
        List<String> anything = new ArrayList<>();
        for (OptionSpec option : entry.options()) {
            List<String> names = Arrays.stream(option.names()).map(name -> path(entry) + ":" + name).toList();
            List<String> values = Completions.values(option);
            if (option.arity().max() == 0) {
                continue;
            }
            if (values != null) {
                script.append("        %s) compopt +o default; COMPREPLY=($(compgen -W '%s' -- \"$current\")); return ;;\n".formatted(
                        String.join(" | ", names), String.join(" ", values)));
            } else if (Completions.isFile(option)) {
                files.addAll(names);
            } else {
                anything.addAll(names);
            }
        }
        if (!files.isEmpty()) {
            script.append("        %s) return ;;\n".formatted(String.join(" | ", files)));
        }
        if (!anything.isEmpty()) {
            script.append("        %s) compopt +o default; return ;;\n".formatted(String.join(" | ", anything)));
        }
    }
}
