package dev.yangtuo.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.yangtuo.GenerateOptions;
import dev.yangtuo.KvType;
import dev.yangtuo.Llama;
import dev.yangtuo.chat.ChatTemplate;
import dev.yangtuo.recipe.Instruction;
import dev.yangtuo.recipe.InstructionFilter;
import dev.yangtuo.recipe.LlamaGenerator;
import dev.yangtuo.recipe.Rejection;
import dev.yangtuo.recipe.SelfInstruct;
import dev.yangtuo.recipe.SelfInstructOptions;
import dev.yangtuo.recipe.SelfInstructReport;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Instruction data from seed tasks. */
@Command(
        name = "instruct",
        mixinStandardHelpOptions = true,
        description = {
            "Makes instruction data from seed tasks (Self-Instruct): a prompt with some of them makes the model write more, which are filtered and "
                    + "kept if no task that is there is much like them.",
            "Tasks are appended to the output as they come, as {\"instruction\",\"input\",\"output\",\"round\"}, one a line. If the file is there, "
                    + "the command goes on from it."
        },
        footer = {
            "Seed tasks are JSON lines of the same form; examples/recipes has some. A run that was interrupted and goes on gives the same tasks in "
                    + "the end as one that was not.",
            "Without --seed the seed is 0.",
            "  yangtuo instruct --model chinese-alpaca --seeds seed-tasks.jsonl --output tasks.jsonl --count 1000"
        })
final class InstructCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Mixin
    private ModelOptions model;

    @Option(names = ModelOptions.CONTEXT, paramLabel = "N", description = ModelOptions.CONTEXT_DESCRIPTION)
    private @Nullable Integer context;

    @Option(names = "--seeds", required = true, paramLabel = "FILE", description = "The seed tasks; - for standard input.")
    private String seeds;

    @Option(names = "--output", required = true, paramLabel = "FILE", description = "The file that the tasks are appended to.")
    private Path output;

    @Option(names = "--count", paramLabel = "N", defaultValue = "100", description = "Tasks that the file is to have in the end. Default: "
            + "${DEFAULT-VALUE}.")
    private int count;

    @Option(names = "--rounds", paramLabel = "N", description = "Prompts at most, those of earlier runs included. Default: 4 for each task, at "
            + "least 20.")
    private @Nullable Integer rounds;

    @Option(names = "--examples", paramLabel = "K", defaultValue = "3", description = "Seed tasks in each prompt; fewer where they do not fit. "
            + "Default: ${DEFAULT-VALUE}.")
    private int examples;

    @Option(names = "--threshold", paramLabel = "R", defaultValue = "0.7",
            description = "Leave out instructions whose ROUGE-L with one that is there is R or more, Chinese by characters. Default: "
                    + "${DEFAULT-VALUE}.")
    private double threshold;

    @Option(names = "--language-share", paramLabel = "S", description = "Share of the letters that must be Chinese, or Latin with --language en. "
            + "Default: 0.5, or 0.9.")
    private @Nullable Double languageShare;

    @Option(names = "--keyword", paramLabel = "TEXT", description = "Leave out instructions with this text, beside the usual ones (pictures, files, "
            + "...); may be given several times.")
    private List<String> keywords = List.of();

    @Mixin
    private RecipeTemplateOptions template;

    @Option(names = "--max-tokens", paramLabel = "N", defaultValue = "1024", description = "Tokens of an answer at most. Default: ${DEFAULT-VALUE}.")
    private int maxTokens;

    @Mixin
    private SamplingFlags sampling;

    @Option(names = "--in-flight", paramLabel = "N", defaultValue = "8", description = "Prompts in the making at the same time. Default: "
            + "${DEFAULT-VALUE}.")
    private int inFlight;

    @Option(names = "--json", description = "Write the summary as one JSON object.")
    private boolean json;

    @Override
    public Integer call() throws IOException {
        PrintWriter err = spec.commandLine().getErr();
        GenerateOptions generate = generateOptions();
        SelfInstructOptions options = options();
        ChatTemplate chat = template.chat();
        TextFile file = TextFile.of(seeds);
        file.check();
        List<Instruction> seedTasks = InstructionFile.seeds(file);
        try (InstructionFile tasks = InstructionFile.open(output)) {
            if (!tasks.before().isEmpty()) {
                err.println("%s: %d tasks are there; going on from round %d".formatted(output, tasks.before().size(), tasks.before().getLast().round()));
            }
            try (Llama llama = model.load(ModelOptions.WeightTypeDefault.OF_FILE, KvType.F16, context, err)) {
                LlamaGenerator generator = new LlamaGenerator(llama, generate, chat);
                AtomicBoolean interrupted = new AtomicBoolean();
                try (InterruptGuard _ = new InterruptGuard(() -> {
                    interrupted.set(true);
                    generator.cancel();
                })) {
                    SelfInstructReport report = run(new SelfInstruct(seedTasks, generator, options), tasks, interrupted);
                    write(report);
                    return report.end() == SelfInstructReport.End.STOPPED ? InterruptGuard.EXIT_CODE : CommandLine.ExitCode.OK;
                }
            }
        }
    }

    private GenerateOptions generateOptions() {
        try {
            GenerateOptions options = sampling.apply(GenerateOptions.defaults(), spec.commandLine());
            return Failures.asUsage(spec, () -> options.maxTokens(maxTokens));
        } catch (IllegalArgumentException e) {
            throw wrong(String.valueOf(e.getMessage()), e);
        }
    }

    private SelfInstructOptions options() {
        Long seed = spec.findOption("--seed").getValue();
        return Failures.asUsage(spec, () -> {
            InstructionFilter filter = InstructionFilter.of(template.language());
            filter = languageShare == null ? filter : filter.languageShare(languageShare);
            for (String keyword : keywords) {
                filter = filter.keyword(keyword);
            }
            SelfInstructOptions options = SelfInstructOptions.of(template.language())
                    .filter(filter).count(count).examples(examples).threshold(threshold).inFlight(inFlight).seed(seed == null ? 0 : seed);
            options = rounds == null ? options : options.rounds(rounds);
            return template.hasFile() ? options.template(template.template(_ -> SelfInstructOptions.templateOf(template.language()), SelfInstructOptions.PLACES)) : options;
        });
    }

    private CommandLine.ParameterException wrong(String problem, Exception cause) {
        return new CommandLine.ParameterException(spec.commandLine(), problem, cause);
    }

    private SelfInstructReport run(SelfInstruct recipe, InstructionFile tasks, AtomicBoolean interrupted) {
        try (ProgressDisplay display = new ProgressDisplay(spec.commandLine().getErr(), "instruct", new ProgressDisplay.Unit("tasks", 1))) {
            return recipe.run(tasks.before(), kept -> {
                tasks.append(kept);
                return !interrupted.get();
            }, soFar -> {
                display.update(soFar.total(), count, "round %d, %d of %d tasks kept".formatted(soFar.rounds(), soFar.kept(), soFar.found()));
                return !interrupted.get();
            });
        }
    }

    private void write(SelfInstructReport report) throws IOException {
        PrintWriter out = spec.commandLine().getOut();
        if (json) {
            JsonResult.write(asJson(report), out);
        } else {
            out.print(asText(report));
        }
        StandardOutput.flush(out);
    }

    private ObjectNode asJson(SelfInstructReport report) {
        ObjectNode object = JsonResult.object();
        object.put("output", output.toString())
                .put("tasks", report.total())
                .put("wanted", count)
                .put("end", report.end().name().toLowerCase(Locale.ROOT))
                .put("rounds", report.rounds())
                .put("found", report.found())
                .put("kept", report.kept());
        ObjectNode rejections = object.putObject("rejected");
        for (Rejection rejection : Rejection.values()) {
            rejections.put(rejection.name().toLowerCase(Locale.ROOT), report.rejections().getOrDefault(rejection, 0));
        }
        return object.put("completion_tokens", report.tokens()).put("shortened_prompts", report.shortened());
    }

    private String asText(SelfInstructReport report) {
        StringBuilder text = new StringBuilder("%s: %,d tasks of %,d that were wanted%s\n\n".formatted(TerminalText.escaped(output.toString()), report.total(), count,
                switch (report.end()) {
                    case COMPLETE -> "";
                    case ROUNDS -> "; all rounds are made, --rounds allows more";
                    case STOPPED -> "; interrupted, the same command goes on";
                }));
        List<List<String>> rows = new ArrayList<>();
        rows.add(row("rounds", report.rounds(), ""));
        rows.add(row("tokens generated", report.tokens(), ""));
        if (report.shortened() > 0) {
            rows.add(row("prompts with fewer examples", report.shortened(), "the context is too short for all"));
        }
        rows.add(row("tasks found", report.found(), ""));
        rows.add(row("kept", report.kept(), ""));
        for (Map.Entry<Rejection, Integer> entry : report.rejections().entrySet()) {
            rows.add(row(entry.getKey().name().toLowerCase(Locale.ROOT).replace('_', ' '), entry.getValue(), reason(entry.getKey())));
        }
        TextTable.append(text, rows, Set.of(0, 2));
        return text.toString();
    }

    private static List<String> row(String label, long number, String remark) {
        return List.of(label, String.format(Locale.ROOT, "%,d", number), remark);
    }

    private static String reason(Rejection rejection) {
        return switch (rejection) {
            case UNFINISHED -> "cut off by the end of the answer";
            case UNREADABLE -> "no instruction or no output where one is expected";
            case EMPTY -> "nothing behind a label";
            case TOO_SHORT -> "the instruction";
            case TOO_LONG -> "the instruction, the input or the output";
            case KEYWORD -> "asks for what a text cannot have";
            case PUNCTUATION -> "begins with a punctuation mark";
            case LANGUAGE -> "too little of the language";
            case COPY -> "the output repeats the instruction or the input";
            case DUPLICATE -> "much like one that is there";
        };
    }
}
