package dev.yangtuo.cli;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** How good a model is. */
@Command(
        name = "eval",
        mixinStandardHelpOptions = true,
        description = "Measures how good a model is: on multiple-choice questions, on pCLUE's tasks, or on texts beside another model.",
        footer = {
            "docs/evaluation.md says how each figure is computed.",
            "  yangtuo eval ceval --data examples/eval/ceval"
        },
        subcommands = {CevalCommand.class, PclueCommand.class, CompareCommand.class})
final class EvalCommand implements Runnable {
    @Spec
    private CommandSpec spec;

    @Override
    public void run() {
        throw new CommandLine.ParameterException(
                spec.commandLine(), "what is to be evaluated is missing; there are %s".formatted(String.join(", ", spec.subcommands().keySet())));
    }
}
