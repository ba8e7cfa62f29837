package dev.yangtuo.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code yangtuo help convert} for {@code yangtuo convert --help}. picocli's own command takes options that are not there for no error. */
@Command(
        name = "help",
        mixinStandardHelpOptions = true,
        description = "Shows the help of a command, or the list of all commands.",
        footer = {
            "  yangtuo help",
            "  yangtuo help generate"
        })
final class HelpCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Parameters(paramLabel = "COMMAND", arity = "0..*", description = "The command, such as generate. Default: yangtuo itself.")
    private List<String> names = List.of();

    @Override
    public Integer call() throws IOException {
        PrintWriter out = spec.commandLine().getOut();
        HelpLayout.find(spec, names).commandLine().usage(out);
        StandardOutput.flush(out);
        return CommandLine.ExitCode.OK;
    }
}
