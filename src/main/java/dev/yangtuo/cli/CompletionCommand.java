package dev.yangtuo.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Writes what a shell reads in order to complete command lines. */
@Command(
        name = "completion",
        mixinStandardHelpOptions = true,
        description = "Writes a script that lets a shell complete commands, options and their values.",
        footer = {
            "bash-completion and fish find the script in these folders, zsh in every folder on its fpath. It can also be read with 'source', in ~/.bashrc or ~/.zshrc.",
            "  yangtuo completion bash > ~/.local/share/bash-completion/completions/yangtuo",
            "  yangtuo completion zsh > ~/.zfunc/_yangtuo",
            "  yangtuo completion fish > ~/.config/fish/completions/yangtuo.fish"
        })
final class CompletionCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Parameters(paramLabel = "SHELL", description = "bash, zsh or fish.")
    private Shell shell;

    /** Lower case, as the command line names them. */
    enum Shell {
        bash, zsh, fish
    }

    @Override
    public Integer call() throws IOException {
        CommandSpec root = spec.root();
        PrintWriter out = spec.commandLine().getOut();
        out.print(switch (shell) {
            case bash -> BashCompletion.of(root);
            case zsh -> ZshCompletion.of(root);
            case fish -> FishCompletion.of(root);
        });
        StandardOutput.flush(out);
        return CommandLine.ExitCode.OK;
    }
}
