package dev.yangtuo.cli;

import dev.yangtuo.GenerateOptions;
import dev.yangtuo.KvType;
import dev.yangtuo.Llama;
import dev.yangtuo.chat.ChatTemplate;
import dev.yangtuo.recipe.AnswerRater;
import dev.yangtuo.recipe.JudgedPair;
import dev.yangtuo.recipe.PairJudge;
import dev.yangtuo.recipe.PairwiseJudging;
import dev.yangtuo.recipe.PairwiseReport;
import dev.yangtuo.recipe.PromptTemplate;
import dev.yangtuo.recipe.RatedPair;
import dev.yangtuo.recipe.RatingReport;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Which of two systems answers better. */
@Command(
        name = "judge",
        mixinStandardHelpOptions = true,
        description = {
            "Compares the answers of two systems to the same questions: a model judges each pair twice, with the answers swapped, and a system wins "
                    + "only if both judgments say so; everything else is a tie.",
            "Writes wins, ties, the win rate with its 95 %% interval, and how often the judge looked at the position instead of the answer."
        },
        footer = {
            "Files are JSON lines with an \"id\", a \"prompt\" or \"question\", and a \"text\", such as batch writes; prompts that are in neither "
                    + "are read from --prompts.",
            "The same command gives the same result. Judges that write are greedy unless told otherwise; with --temperature the seed counts, which "
                    + "is 0 unless --seed is given.",
            "  yangtuo judge --model chinese-alpaca --a answers-a.jsonl --b answers-b.jsonl --output judgments.jsonl"
        })
final class JudgeCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Mixin
    private ModelOptions model;

    @Option(names = ModelOptions.CONTEXT, paramLabel = "N", description = ModelOptions.CONTEXT_DESCRIPTION)
    private @Nullable Integer context;

    @Option(names = "--a", required = true, paramLabel = "FILE", description = "Answers of the first system.")
    private String fileA;

    @Option(names = "--b", required = true, paramLabel = "FILE", description = "Answers of the second system.")
    private String fileB;

    @Option(names = "--prompts", paramLabel = "FILE", description = "The questions, by the same ids; needed where the answers do not have them.")
    private @Nullable String prompts;

    @Option(names = "--method", paramLabel = "METHOD", defaultValue = "logprob", completionCandidates = ValueNames.JudgeMethods.class,
            description = {
                "logprob: the most probable verdict (any model can do that). text: the judge gives reasons, then a verdict.",
                "score, score-text: the same, but each answer gets 1 to 10 points by itself. Default: ${DEFAULT-VALUE}."
            })
    private JudgeMethod method;

    @Mixin
    private RecipeTemplateOptions template;

    @Option(names = "--max-tokens", paramLabel = "N", defaultValue = "512", description = "For text and score-text: tokens of a judgment at most. "
            + "Default: ${DEFAULT-VALUE}.")
    private int maxTokens;

    @Mixin
    private SamplingFlags sampling;

    @Option(names = "--in-flight", paramLabel = "N", defaultValue = "16", description = "Pairs that are judged at the same time. Default: "
            + "${DEFAULT-VALUE}.")
    private int inFlight;

    @Option(names = "--output", paramLabel = "FILE", description = "Write each judgment into this file, one JSON object a line.")
    private @Nullable Path output;

    @ArgGroup
    private @Nullable Form form;

    /** How the result is written, unless as text. */
    private static final class Form {
        @Option(names = "--json", description = "Write one JSON object.")
        private boolean json;

        @Option(names = "--markdown", description = "Write Markdown.")
        private boolean markdown;
    }

    @Override
    public Integer call() throws IOException {
        GenerateOptions options = options();
        PairwiseJudging judging = judging();
        PromptTemplate asked = template.template(method::template, method.places());
        ChatTemplate chat = template.chat();
        AnswerPairs pairs = AnswerPairs.read(checked(fileA), checked(fileB), prompts == null ? null : checked(prompts));
        try (ResultFile file = output == null ? null : ResultFile.create(output);
                Llama llama = model.load(ModelOptions.WeightTypeDefault.OF_FILE, KvType.F16, context, spec.commandLine().getErr())) {
            Run run = method.rates()
                    ? new Run(judging, pairs, file, null, method.rater(llama, asked, chat, options, seed()))
                    : new Run(judging, pairs, file, method.judge(llama, asked, chat, options, seed()), null);
            try (InterruptGuard _ = new InterruptGuard(run::stop)) {
                JudgeReport report = run.judge();
                if (file != null) {
                    file.complete();
                }
                write(report);
                return report.interrupted() ? InterruptGuard.EXIT_CODE : CommandLine.ExitCode.OK;
            }
        }
    }

    private GenerateOptions options() {
        try {
            GenerateOptions options = sampling.apply(GenerateOptions.defaults().greedy(), spec.commandLine());
            return Failures.asUsage(spec, () -> options.maxTokens(maxTokens));
        } catch (IllegalArgumentException e) {
            throw wrong(String.valueOf(e.getMessage()), e);
        }
    }

    private PairwiseJudging judging() {
        try {
            return new PairwiseJudging(inFlight);
        } catch (IllegalArgumentException e) {
            throw wrong("--in-flight: " + e.getMessage(), e);
        }
    }

    private long seed() {
        Long seed = spec.findOption("--seed").getValue();
        return seed == null ? 0 : seed;
    }

    private CommandLine.ParameterException wrong(String problem, Exception cause) {
        return new CommandLine.ParameterException(spec.commandLine(), problem, cause);
    }

    private TextFile checked(String argument) throws IOException {
        TextFile file = TextFile.of(argument);
        file.check();
        file.requireOther(output);
        return file;
    }

    private void write(JudgeReport report) throws IOException {
        PrintWriter out = spec.commandLine().getOut();
        if (form != null && form.json) {
            JsonResult.write(report.json(), out);
        } else {
            out.print(form == null ? report.plain() : report.markdown());
        }
        StandardOutput.flush(out);
    }

    /** One pass over the pairs, with a judge or a rater. */
    private final class Run {
        private final PairwiseJudging judging;
        private final AnswerPairs pairs;
        private final @Nullable ResultFile file;
        private final @Nullable PairJudge judge;
        private final @Nullable AnswerRater rater;
        private final AtomicBoolean interrupted = new AtomicBoolean();
        private @Nullable PairwiseReport judged;
        private @Nullable RatingReport rated;

        Run(PairwiseJudging judging, AnswerPairs pairs, @Nullable ResultFile file, @Nullable PairJudge judge, @Nullable AnswerRater rater) {
            this.judging = judging;
            this.pairs = pairs;
            this.file = file;
            this.judge = judge;
            this.rater = rater;
        }

        JudgeReport judge() {
            try (ProgressDisplay display = new ProgressDisplay(spec.commandLine().getErr(), "judging", new ProgressDisplay.Unit("pairs", 1))) {
                if (judge != null) {
                    judged = PairwiseReport.NONE;
                    judging.judge(pairs.pairs().iterator(), judge, pair -> goesOn() && count(pair, display));
                }
                if (rater != null) {
                    rated = RatingReport.NONE;
                    judging.rate(pairs.pairs().iterator(), rater, pair -> goesOn() && count(pair, display));
                }
            }
            return new JudgeReport(fileA, fileB, method, pairs, judged, rated, interrupted.get());
        }

        private boolean goesOn() {
            return !interrupted.get();
        }

        private boolean count(JudgedPair pair, ProgressDisplay display) {
            judged = (judged == null ? PairwiseReport.NONE : judged).plus(pair);
            append(JudgeReport.json(pair));
            display.update(judged.pairs(), pairs.pairs().size());
            return goesOn();
        }

        private boolean count(RatedPair pair, ProgressDisplay display) {
            rated = (rated == null ? RatingReport.NONE : rated).plus(pair);
            append(JudgeReport.json(pair));
            display.update(rated.pairs(), pairs.pairs().size());
            return goesOn();
        }

        private void append(String line) {
            if (file != null) {
                file.write(line.getBytes(StandardCharsets.UTF_8));
            }
        }

        /** On any thread. */
        void stop() {
            interrupted.set(true);
            if (judge != null) {
                judge.cancel();
            }
            if (rater != null) {
                rater.cancel();
            }
        }
    }
}
