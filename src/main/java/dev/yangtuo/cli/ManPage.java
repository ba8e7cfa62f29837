package dev.yangtuo.cli;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import picocli.CommandLine;
import picocli.CommandLine.Help;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/**
 * The manual page of a command, in the macros of man(7), with what its help has. It is ASCII: all other characters are roff's escapes, so that it does not depend
 * on an encoding.
 */
final class ManPage {
    private static final String SECTION = "1";

    private final CommandSpec command;
    private final StringBuilder page = new StringBuilder();

    private ManPage(CommandSpec command) {
        this.command = command;
    }

    /** The page. */
    static String of(CommandSpec command) {
        ManPage page = new ManPage(command);
        page.head();
        page.synopsis();
        page.description();
        page.arguments();
        page.commands();
        page.notes();
        page.examples();
        page.table("EXIT STATUS", HelpLayout.EXIT_CODES);
        if (command.parent() == null) {
            page.table("ENVIRONMENT", HelpLayout.ENVIRONMENT);
        }
        page.seeAlso();
        return page.page.toString();
    }

    /** The name of the file that {@code man} looks for. */
    static String fileName(CommandSpec command) {
        return name(command) + "." + SECTION;
    }

    private static String name(CommandSpec command) {
        return command.qualifiedName("-");
    }

    private void head() {
        line(".TH \"%s\" %s \"\" \"%s\" \"Yangtuo\"".formatted(
                escaped(name(command).toUpperCase(Locale.ROOT)), SECTION, escaped("yangtuo " + Version.number())));
        line(".nh");
        line(".ad l");
        section("NAME");
        line(escaped(name(command)) + " \\- " + escaped(summary(command)));
    }

    /** The first sentence about a command, as the list of all pages shows it. */
    private static String summary(CommandSpec command) {
        String[] description = command.usageMessage().description();
        return description.length == 0 ? command.name() : HelpLayout.firstSentence(description[0]);
    }

    private void synopsis() {
        section("SYNOPSIS");
        String synopsis = new Help(command, Colours.NONE.outputScheme()).synopsis(0).strip().replaceAll("\\s+", " ");
        String name = command.qualifiedName();
        line(".B " + escaped(name));
        text(synopsis.startsWith(name) ? synopsis.substring(name.length()).strip() : synopsis);
    }

    private void description() {
        section("DESCRIPTION");
        paragraphs(List.of(command.usageMessage().description()));
    }

    private void arguments() {
        List<? extends ArgSpec> parameters = command.positionalParameters().stream().filter(each -> !each.hidden()).toList();
        if (!parameters.isEmpty()) {
            section("ARGUMENTS");
            parameters.forEach(each -> entry("\\fI" + escaped(each.paramLabel()) + "\\fR", each.description()));
        }
        section("OPTIONS");
        command.options().stream().filter(each -> !each.hidden()).sorted(Comparator.comparing(OptionSpec::longestName))
                .forEach(each -> entry(heading(each), each.description()));
    }

    /** {@code -t, --threads N}, names in bold and the value in italics. */
    private static String heading(OptionSpec option) {
        String names = Stream.of(option.names()).map(name -> "\\fB" + escaped(name) + "\\fR").collect(Collectors.joining(", "));
        if (option.arity().max() == 0) {
            return names;
        }
        String label = "\\fI" + escaped(option.paramLabel()) + "\\fR";
        return option.arity().min() == 0 ? names + "[=" + label + "]" : names + " " + label;
    }

    private void commands() {
        if (command.subcommands().isEmpty()) {
            return;
        }
        section("COMMANDS");
        for (CommandLine each : command.subcommands().values()) {
            entry("\\fB" + escaped(each.getCommandName()) + "\\fR", each.getCommandSpec().usageMessage().description());
        }
    }

    private void notes() {
        List<String> notes = HelpLayout.notes(command);
        if (!notes.isEmpty()) {
            section("NOTES");
            paragraphs(notes);
        }
    }

    private void examples() {
        section("EXAMPLES");
        line(".nf");
        HelpLayout.examples(command).forEach(this::text);
        line(".fi");
    }

    private void table(String title, Map<String, String> rows) {
        section(title);
        rows.forEach((key, value) -> entry("\\fB" + escaped(key) + "\\fR", value));
    }

    /** The command above, and those below. */
    private void seeAlso() {
        List<String> pages = new ArrayList<>();
        if (command.parent() != null) {
            pages.add(name(command.parent()));
        }
        command.subcommands().values().forEach(each -> pages.add(name(each.getCommandSpec())));
        if (!pages.isEmpty()) {
            section("SEE ALSO");
            line(pages.stream().map(each -> "\\fB" + escaped(each) + "\\fR(" + SECTION + ")").collect(Collectors.joining(",\n")));
        }
    }

    private void section(String title) {
        line(".SH " + title);
    }

    private void entry(String heading, String... description) {
        line(".TP");
        line(heading);
        for (String each : description) {
            text(HelpLayout.plain(each));
        }
    }

    private void paragraphs(List<String> texts) {
        for (int i = 0; i < texts.size(); i++) {
            if (i > 0) {
                line(".PP");
            }
            text(HelpLayout.plain(texts.get(i)));
        }
    }

    private void text(String text) {
        text.lines().forEach(each -> line(escaped(each)));
    }

    private void line(String line) {
        page.append(line).append('\n');
    }

    /** The text as roff shows it: no line begins with a request, no hyphen becomes another sign, and nothing is an escape. */
    private static String escaped(String text) {
        StringBuilder out = new StringBuilder();
        text.codePoints().forEach(c -> {
            switch (c) {
                case '\\' -> out.append("\\(rs");
                case '-' -> out.append("\\-");
                case '\'' -> out.append("\\(aq");
                case '"' -> out.append("\\(dq");
                case '`' -> out.append("\\(ga");
                case '^' -> out.append("\\(ha");
                case '~' -> out.append("\\(ti");
                default -> out.append(c < 0x80 ? Character.toString(c) : "\\[u%04X]".formatted(c));
            }
        });
        return out.toString().startsWith(".") ? "\\&" + out : out.toString();
    }
}
