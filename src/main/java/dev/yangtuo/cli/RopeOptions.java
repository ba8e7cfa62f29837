package dev.yangtuo.cli;

import dev.yangtuo.LoadOptions;
import dev.yangtuo.RopeScalingType;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The options that take the place of what a model says about RoPE. */
final class RopeOptions {
    @Spec(Spec.Target.MIXEE)
    private CommandSpec spec;

    @Option(names = "--rope-scaling", paramLabel = "TYPE", completionCandidates = ValueNames.RopeScalings.class,
            description = "Reach longer texts by none, linear, ntk, dynamic, yarn or llama3, with --rope-factor. Default: as the model says.")
    private @Nullable RopeScalingType scaling;

    @Option(names = "--rope-factor", paramLabel = "FACTOR", description = "How many times longer texts may be (of ntk: its alpha). Default: the model's.")
    private @Nullable Double factor;

    @Option(names = "--rope-base", paramLabel = "BASE", description = "Base of RoPE's frequencies. Default: the model's.")
    private @Nullable Double base;

    LoadOptions applyTo(LoadOptions options) {
        LoadOptions result = scaling == null ? options : options.ropeScaling(scaling);
        try {
            result = factor == null ? result : result.ropeFactor(factor);
            return base == null ? result : result.ropeBase(base);
        } catch (IllegalArgumentException e) {
            throw new CommandLine.ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
        }
    }
}
