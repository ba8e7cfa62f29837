package dev.yangtuo.cli;

import java.util.Map;
import picocli.CommandLine.Help;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.Help.ColorScheme;

/**
 * Where colours are written: on terminals, unless the environment says otherwise. {@code NO_COLOR} (https://no-color.org) counts before {@code CLICOLOR_FORCE},
 * and that before {@code CLICOLOR=0} (https://bixense.com/clicolors); a variable that is empty says nothing.
 *
 * @param output whether standard output has colours
 * @param errors whether standard error has
 */
record Colours(boolean output, boolean errors) {
    static final Colours NONE = new Colours(false, false);

    /** Those of this process. */
    static Colours here() {
        return of(System.getenv(), Terminal.isOutput(), Terminal.isErrors());
    }

    static Colours of(Map<String, String> environment, boolean outputIsTerminal, boolean errorsAreTerminal) {
        if (!environment.getOrDefault("NO_COLOR", "").isEmpty()) {
            return NONE;
        }
        String force = environment.getOrDefault("CLICOLOR_FORCE", "");
        if (!force.isEmpty() && !force.equals("0")) {
            return new Colours(true, true);
        }
        if ("0".equals(environment.get("CLICOLOR")) || "dumb".equals(environment.get("TERM"))) {
            return NONE;
        }
        return new Colours(outputIsTerminal, errorsAreTerminal);
    }

    /** For what picocli writes to standard output. */
    ColorScheme outputScheme() {
        return Help.defaultColorScheme(output ? Ansi.ON : Ansi.OFF);
    }

    /** For what picocli writes to standard error. */
    ColorScheme errorScheme() {
        return Help.defaultColorScheme(errors ? Ansi.ON : Ansi.OFF);
    }

    /** A line that says what went wrong, as every such line begins. */
    String problem(String description) {
        return (errors ? Ansi.ON : Ansi.OFF).string("@|bold,red yangtuo:|@ ") + description;
    }
}
