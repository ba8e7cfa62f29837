package dev.yangtuo.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;

/** All commands of the program, those that will be added included. */
final class CommandTree {
    private CommandTree() {}

    /** The program's own entry and every command below it. */
    static List<CommandSpec> all() {
        List<CommandSpec> commands = new ArrayList<>();
        HelpLayout.forEach(fresh(), command -> commands.add(command.getCommandSpec()));
        return commands;
    }

    /** The names of all commands, {@code yangtuo eval} after {@code yangtuo}. */
    static Stream<String> names() {
        return all().stream().map(CommandSpec::qualifiedName);
    }

    /** A command by its qualified name. */
    static CommandSpec named(String name) {
        return all().stream().filter(command -> command.qualifiedName().equals(name)).findFirst().orElseThrow();
    }

    /** The words that come before a command's options, without the program's name. */
    static List<String> words(String name) {
        return List.of(name.split(" ")).subList(1, name.split(" ").length);
    }

    /** A command line that has parsed nothing yet. */
    static CommandLine fresh() {
        return Main.commandLine(Colours.NONE);
    }
}
