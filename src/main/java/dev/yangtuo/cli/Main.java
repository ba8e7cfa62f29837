package dev.yangtuo.cli;

import dev.yangtuo.BackendType;
import dev.yangtuo.Engine;
import dev.yangtuo.KvType;
import dev.yangtuo.LlamaCppOptions.FlashAttention;
import dev.yangtuo.PerplexityMethod;
import dev.yangtuo.Pooling;
import dev.yangtuo.RopeScalingType;
import dev.yangtuo.batch.BatchFormat;
import dev.yangtuo.batch.BatchOrder;
import dev.yangtuo.eval.AnswerMethod;
import dev.yangtuo.eval.CevalSplit;
import dev.yangtuo.eval.PromptStyle;
import dev.yangtuo.model.SyntheticShape;
import dev.yangtuo.recipe.RecipeLanguage;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.function.Function;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;
import picocli.CommandLine;

/** The program {@code yangtuo}. Exit codes are those of {@link HelpLayout#EXIT_CODES}. */
@Command(
        name = "yangtuo",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        description = "Runs LLaMA models natively, with Chinese vocabularies and LoRA adapters merged at load time.",
        footer = {
            "Results go to standard output, everything else to standard error; with --json results are JSON. docs/command-line.md says more.",
            "'yangtuo test' runs the tests of a source checkout.",
            "  yangtuo generate --prompt \"《春望》杜甫\"",
            "  yangtuo generate --model path/to/llama --lora path/to/chinese-lora --quantize q8_0 --prompt \"人工智能的\"",
            "  yangtuo help generate"
        },
        subcommands = {
            GenerateCommand.class,
            ChatCommand.class,
            BatchCommand.class,
            ConvertCommand.class,
            TokenizeCommand.class,
            DetokenizeCommand.class,
            EmbedCommand.class,
            ScoreCommand.class,
            LogitsCommand.class,
            PerplexityCommand.class,
            EvalCommand.class,
            BenchCommand.class,
            CompareVocabCommand.class,
            JudgeCommand.class,
            RankCommand.class,
            InstructCommand.class,
            MergeVocabCommand.class,
            InspectCommand.class,
            DoctorCommand.class,
            CompletionCommand.class,
            ManCommand.class,
            HelpCommand.class
        })
public final class Main implements Runnable {
    /** An option of every command. */
    static final String VERBOSE = "--verbose";
    private static final String LOG_FORMAT = "java.util.logging.SimpleFormatter.format";

    @Spec
    private CommandSpec spec;

    /** @param args see {@code --help} */
    public static void main(String[] args) {
        if (System.getProperty(LOG_FORMAT) == null) {
            System.setProperty(LOG_FORMAT, "%4$s: %5$s%6$s%n"); // level, message, stack trace
        }
        System.exit(run(Colours.here(), args));
    }

    /** Runs one command line without colours and returns its exit code. */
    static int run(String... args) {
        return run(Colours.NONE, args);
    }

    /** Runs one command line and returns its exit code. */
    static int run(Colours colours, String... args) {
        CommandLine commandLine = commandLine(colours);
        try {
            int code = commandLine.execute(args);
            if (code == CommandLine.ExitCode.OK) {
                StandardOutput.flush(commandLine.getOut()); // picocli writes the texts of --help and --version
            }
            return code;
        } catch (OutOfMemoryError | IOException e) {
            commandLine.getErr().println(colours.problem(Failures.describe(e)));
            return CommandLine.ExitCode.SOFTWARE;
        }
    }

    /** All commands, ready to parse one command line. */
    static CommandLine commandLine(Colours colours) {
        CommandLine commandLine = new CommandLine(new Main());
        commandLine.setErr(new PrintWriter(System.err, true, StandardCharsets.UTF_8));
        commandLine.setOut(new PrintWriter(System.out, true, StandardCharsets.UTF_8));
        commandLine.registerConverter(WeightChoice.class, named(WeightChoice::of));
        commandLine.registerConverter(SyntheticShape.class, named(SyntheticShape::of));
        commandLine.registerConverter(ByteCount.class, named(ByteCount::of));
        commandLine.registerConverter(BatchFormat.class, named(BatchFormat::of));
        commandLine.registerConverter(BatchOrder.class, named(BatchOrder::of));
        commandLine.registerConverter(KvType.class, named(KvType::of));
        commandLine.registerConverter(BackendType.class, named(BackendType::of));
        commandLine.registerConverter(Engine.class, named(Engine::of));
        commandLine.registerConverter(FlashAttention.class, named(FlashAttention::of));
        commandLine.registerConverter(RopeScalingType.class, named(RopeScalingType::of));
        commandLine.registerConverter(Pooling.class, named(Pooling::of));
        commandLine.registerConverter(PerplexityMethod.class, named(PerplexityMethod::of));
        commandLine.registerConverter(AnswerMethod.class, named(AnswerMethod::of));
        commandLine.registerConverter(PromptStyle.class, named(PromptStyle::of));
        commandLine.registerConverter(CevalSplit.class, named(CevalSplit::of));
        commandLine.registerConverter(RecipeLanguage.class, named(RecipeLanguage::of));
        commandLine.registerConverter(JudgeMethod.class, named(JudgeMethod::of));
        commandLine.registerConverter(RankMethod.class, named(RankMethod::of));
        commandLine.setUsageHelpAutoWidth(true);
        commandLine.setUnmatchedOptionsArePositionalParams(false);
        HelpLayout.forEach(commandLine, Main::addStandardOptions);
        HelpLayout.apply(commandLine);
        commandLine.setColorScheme(colours.outputScheme());
        commandLine.setExpandAtFiles(false); // a prompt may begin with @
        commandLine.setParameterExceptionHandler((failure, args) -> reportUsage(failure, args, colours));
        commandLine.setExecutionExceptionHandler((failure, command, _) -> report(failure, command, colours));
        return commandLine;
    }

    /** What every command has, whatever its class says. */
    private static void addStandardOptions(CommandLine command) {
        CommandSpec each = command.getCommandSpec();
        each.versionProvider(new Version());
        if (each.parent() != null && each.findOption(VERBOSE) == null) {
            each.addOption(OptionSpec.builder(VERBOSE).type(boolean.class).arity("0").description("Show where a failure happened, and why --device auto takes no device.").build());
        }
    }

    /** A converter whose message is the one of the lookup. */
    private static <T> ITypeConverter<T> named(Function<String, T> lookup) {
        return name -> {
            try {
                return lookup.apply(name);
            } catch (IllegalArgumentException e) {
                throw new TypeConversionException(e.getMessage());
            }
        };
    }

    @Override
    public void run() {
        throw new CommandLine.ParameterException(spec.commandLine(), "a command is missing");
    }

    /** What is wrong, and where to read on; whoever gave no command at all is shown the commands. */
    private static int reportUsage(CommandLine.ParameterException failure, String[] args, Colours colours) {
        CommandLine command = failure.getCommandLine();
        PrintWriter err = command.getErr();
        err.println(colours.problem(Failures.describe(failure)));
        if (args.length == 0) {
            command.usage(err, colours.errorScheme());
        } else {
            CommandLine.UnmatchedArgumentException.printSuggestions(failure, err);
            err.println("'%s --help' shows what there is.".formatted(command.getCommandSpec().qualifiedName()));
        }
        err.flush();
        return CommandLine.ExitCode.USAGE;
    }

    /** One readable paragraph; the stack trace only where it was asked for, or where the failure is not one of ours. */
    private static int report(Exception failure, CommandLine command, Colours colours) {
        PrintWriter err = command.getErr();
        err.println(colours.problem(Failures.describe(failure)));
        if (command.getParseResult().hasMatchedOption(VERBOSE)) {
            failure.printStackTrace(err);
        } else if (!Failures.isExpected(failure)) {
            err.println("This was not foreseen; --verbose shows where it happened.");
        }
        err.flush();
        return CommandLine.ExitCode.SOFTWARE;
    }
}
