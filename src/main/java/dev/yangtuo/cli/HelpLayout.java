package dev.yangtuo.cli;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import picocli.CommandLine;
import picocli.CommandLine.Help;
import picocli.CommandLine.IHelpSectionRenderer;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.UsageMessageSpec;

/**
 * The form that the help of every command has: options, notes, examples, exit codes. Notes and examples are the footer of a command: lines that begin with two
 * blanks are examples, or go on with one, and are shown as they are, however long; all others are notes.
 */
final class HelpLayout {
    private static final String NOTES = "notes";
    private static final String EXAMPLES = "examples";
    private static final String INDENT = "  ";

    /** What an exit code means, in every command. */
    static final Map<String, String> EXIT_CODES = inOrder(
            "0", "Success.",
            "1", "Failure; standard error says what went wrong.",
            "2", "Wrong usage; nothing was done.",
            "130", "Interrupted (Ctrl-C).");

    /** The variables that count for every command. */
    static final Map<String, String> ENVIRONMENT = inOrder(
            "YANGTUO_CACHE", "The cache folder: packed weights, the unpacked native library. Default: $XDG_CACHE_HOME/yangtuo, else ~/.cache/yangtuo.",
            "YANGTUO_KERNEL", "Forces one of the kernels that 'yangtuo doctor' lists.",
            "YANGTUO_JAVA_OPTS", "More options for java, as -Xmx16g; read by the launcher.",
            "NO_COLOR", "No colours, if it is set and not empty.",
            "CLICOLOR_FORCE", "Colours also where no terminal is, if it is set and not 0.",
            "CLICOLOR", "No colours, if it is 0.");

    private HelpLayout() {}

    /** Gives all commands this form; before anything is parsed. */
    static void apply(CommandLine root) {
        forEach(root, command -> {
            UsageMessageSpec usage = command.getCommandSpec().usageMessage();
            usage.descriptionHeading("%n")
                    .parameterListHeading("%n@|bold Parameters:|@%n")
                    .optionListHeading("%n@|bold Options:|@%n")
                    .commandListHeading("%n@|bold Commands:|@%n")
                    .exitCodeListHeading("%n@|bold Exit codes:|@%n")
                    .exitCodeList(EXIT_CODES);
        });
        List<String> keys = new ArrayList<>(root.getHelpSectionKeys());
        keys.removeAll(List.of(UsageMessageSpec.SECTION_KEY_FOOTER_HEADING, UsageMessageSpec.SECTION_KEY_FOOTER));
        keys.addAll(keys.indexOf(UsageMessageSpec.SECTION_KEY_EXIT_CODE_LIST_HEADING), List.of(NOTES, EXAMPLES));
        Map<String, IHelpSectionRenderer> sections = new HashMap<>(root.getHelpSectionMap());
        sections.put(NOTES, HelpLayout::showNotes);
        sections.put(EXAMPLES, HelpLayout::showExamples);
        root.setHelpSectionMap(sections);
        root.setHelpSectionKeys(keys);
    }

    /** Shows a command and those below it. */
    static void forEach(CommandLine command, Consumer<CommandLine> action) {
        action.accept(command);
        // A command is listed once for each of its names.
        command.getSubcommands().values().stream().distinct().forEach(each -> forEach(each, action));
    }

    /**
     * The command of these names, {@code eval ceval}; the program's own entry without names.
     *
     * @param asking the command whose usage error it is if there is none
     */
    static CommandSpec find(CommandSpec asking, List<String> names) {
        CommandSpec command = asking.root();
        for (String name : names) {
            CommandLine next = command.subcommands().get(name);
            if (next == null) {
                String there = String.join(", ", command.subcommands().keySet());
                throw new CommandLine.ParameterException(asking.commandLine(), "'%s' has no command '%s'; there %s".formatted(
                        command.qualifiedName(), name, there.isEmpty() ? "is none" : "are " + there));
            }
            command = next.getCommandSpec();
        }
        return command;
    }

    /** The examples of a command, one string each; those of several lines have their line feeds. */
    static List<String> examples(CommandSpec command) {
        List<String> examples = new ArrayList<>();
        boolean goesOn = false;
        for (String line : footer(command)) {
            if (!line.startsWith(INDENT)) {
                continue;
            }
            String text = line.substring(INDENT.length());
            if (goesOn) {
                examples.add(examples.removeLast() + "\n" + text);
            } else {
                examples.add(text);
            }
            goesOn = text.endsWith("\\");
        }
        return examples;
    }

    /** The notes of a command, one paragraph each: lines up to one that ends with a sentence. */
    static List<String> notes(CommandSpec command) {
        List<String> paragraphs = new ArrayList<>();
        boolean goesOn = false;
        for (String line : footer(command)) {
            if (!line.startsWith(INDENT) && !line.isBlank()) {
                paragraphs.add(goesOn ? paragraphs.removeLast() + " " + line : line);
                goesOn = !line.endsWith(".") && !line.endsWith(":");
            }
        }
        return paragraphs;
    }

    /** A line of a description as it is read: without picocli's markup and format codes. */
    static String plain(String description) {
        return Help.Ansi.OFF.string(description.replace("%n", "\n").replace("%%", "%"));
    }

    /** The first sentence of a description, without its full stop. */
    static String firstSentence(String description) {
        return plain(description).split("\\.( |$)", 2)[0];
    }

    private static List<String> footer(CommandSpec command) {
        return Arrays.stream(command.usageMessage().footer()).flatMap(String::lines).toList();
    }

    private static String showNotes(Help help) {
        StringBuilder text = new StringBuilder();
        for (String note : notes(help.commandSpec())) {
            text.append(help.createHeading("%n" + note + "%n"));
        }
        if (help.commandSpec().parent() == null) {
            text.append(help.createHeading("%n@|bold Environment:|@%n")).append(help.createTextTable(ENVIRONMENT));
        }
        return text.toString();
    }

    private static String showExamples(Help help) {
        StringBuilder text = new StringBuilder(help.createHeading("%n@|bold Examples:|@%n"));
        for (String example : examples(help.commandSpec())) {
            example.lines().forEach(line -> text.append(INDENT).append(line).append(System.lineSeparator()));
        }
        return text.toString();
    }

    private static Map<String, String> inOrder(String... keysAndValues) {
        Map<String, String> map = new LinkedHashMap<>();
        for (int i = 0; i < keysAndValues.length; i += 2) {
            map.put(keysAndValues[i], keysAndValues[i + 1]);
        }
        return Collections.unmodifiableMap(map);
    }
}
