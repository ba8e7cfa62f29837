package dev.yangtuo.cli;

import dev.yangtuo.exception.YangtuoException;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Writes manual pages. */
@Command(
        name = "man",
        mixinStandardHelpOptions = true,
        description = "Writes the manual page of a command, or all of them into a folder. They say what --help says.",
        footer = {
            "  yangtuo man generate | man -l -",
            "  yangtuo man --output ~/.local/share/man/man1"
        })
final class ManCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Parameters(paramLabel = "COMMAND", arity = "0..*", description = "The command, such as generate. Default: yangtuo itself.")
    private List<String> names = List.of();

    @Option(names = "--output", paramLabel = "DIR", description = "Write the pages of all commands into this folder, which is made if it is not there.")
    private @Nullable Path output;

    @Override
    public Integer call() throws IOException {
        if (output != null && !names.isEmpty()) {
            throw new CommandLine.ParameterException(spec.commandLine(), "--output writes the pages of all commands; leave '%s' out".formatted(names.getFirst()));
        }
        if (output != null) {
            writeAll(output);
            return CommandLine.ExitCode.OK;
        }
        PrintWriter out = spec.commandLine().getOut();
        out.print(ManPage.of(HelpLayout.find(spec, names)));
        StandardOutput.flush(out);
        return CommandLine.ExitCode.OK;
    }

    private void writeAll(Path directory) {
        try {
            Files.createDirectories(directory);
        } catch (IOException e) {
            throw new YangtuoException("%s: the folder cannot be made: %s".formatted(directory, Failures.reason(e)), e);
        }
        HelpLayout.forEach(spec.root().commandLine(), command -> {
            CommandSpec each = command.getCommandSpec();
            Path page = directory.resolve(ManPage.fileName(each));
            try (ResultFile file = ResultFile.create(page)) {
                file.write(ManPage.of(each).getBytes(StandardCharsets.UTF_8));
                file.complete();
            }
            spec.commandLine().getErr().println(page);
        });
    }
}
