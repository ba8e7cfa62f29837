package dev.yangtuo.cli;

import dev.yangtuo.KvType;
import dev.yangtuo.Llama;
import dev.yangtuo.eval.AnswerMethod;
import dev.yangtuo.eval.CevalAnswer;
import dev.yangtuo.eval.CevalEvaluation;
import dev.yangtuo.eval.CevalOptions;
import dev.yangtuo.eval.CevalResult;
import dev.yangtuo.eval.CevalSet;
import dev.yangtuo.eval.CevalSplit;
import dev.yangtuo.eval.CevalSubject;
import dev.yangtuo.eval.LanguageModel;
import dev.yangtuo.eval.PromptStyle;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Multiple-choice questions in C-Eval's layout. */
@Command(
        name = "ceval",
        mixinStandardHelpOptions = true,
        description = {
            "Asks multiple-choice questions in C-Eval's layout: a folder with dev/SUBJECT_dev.csv (examples), val/SUBJECT_val.csv and test/SUBJECT_test.csv.",
            "Shows the accuracy on each subject, in each category and over all, as C-Eval and Chinese-LLaMA-Alpaca's script compute it."
        },
        footer = {
            "docs/evaluation.md describes files, prompts and figures.",
            "  yangtuo eval ceval --data examples/eval/ceval --shots 2",
            "  yangtuo eval ceval --model path/to/chinese-alpaca --data ceval --prompt-style alpaca --shots 0 --method generation --report markdown",
            "  yangtuo eval ceval --model path/to/chinese-llama --data ceval --split test --submission submission.json"
        })
final class CevalCommand implements Callable<Integer> {
    private static final ProgressDisplay.Unit QUESTIONS = new ProgressDisplay.Unit("questions", 1);

    @Spec
    private CommandSpec spec;

    @Mixin
    private ModelOptions model;

    @Option(names = ModelOptions.CONTEXT, paramLabel = "N", description = ModelOptions.CONTEXT_DESCRIPTION)
    private @Nullable Integer context;

    @Option(names = "--data", required = true, paramLabel = "DIR", description = "The folder with dev, val and test, and with subject_mapping.json if it has other subjects than C-Eval.")
    private Path data;

    @Option(names = "--split", paramLabel = "SPLIT", completionCandidates = ValueNames.Splits.class, description = "The questions that are asked: val or test. Default: val.")
    private CevalSplit split = CevalSplit.VAL;

    @Option(names = "--subjects", split = ",", paramLabel = "ID", description = "Ask about these subjects, as their files are named. Default: all.")
    private List<String> subjects = List.of();

    @Option(names = "--limit", paramLabel = "N", description = "Ask the first N questions of each subject.")
    private @Nullable Integer limit;

    @Option(names = "--shots", paramLabel = "N", description = "Examples with answers before each question; fewer where the context has no room for them. Default: 5.")
    private int shots = 5;

    @Option(names = "--method", paramLabel = "METHOD", completionCandidates = ValueNames.AnswerMethods.class,
            description = "log-probability: the most probable of A, B, C and D; generation: the letter that the generated text names. Default: log-probability.")
    private AnswerMethod method = AnswerMethod.LOG_PROBABILITY;

    @Option(names = "--prompt-style", paramLabel = "STYLE", completionCandidates = ValueNames.PromptStyles.class,
            description = "plain, alpaca (Chinese-Alpaca's) or alpaca-2 (Chinese-Alpaca-2's). Default: plain.")
    private PromptStyle style = PromptStyle.PLAIN;

    @Option(names = "--c-eval-header",
            description = "Begin every prompt with C-Eval's header and the subject's Chinese name. Without it: as Chinese-LLaMA-Alpaca's script, only before examples, and with the ID.")
    private boolean cevalHeader;

    @Option(names = "--max-tokens", paramLabel = "N", description = "Tokens of a generated answer at most. Default: 20.")
    private int maxTokens = 20;

    @Option(names = "--seed", paramLabel = "S", description = "Decides where a generated text names no answer and one is guessed. Default: 0.")
    private long seed;

    @Option(names = "--predictions", paramLabel = "FILE", description = "Write each answer to FILE, one JSON object a line.")
    private @Nullable Path predictions;

    @Option(names = "--submission", paramLabel = "FILE", description = "Write the answers to FILE as C-Eval wants them submitted.")
    private @Nullable Path submission;

    @Mixin
    private ReportOptions report;

    @Override
    public Integer call() throws IOException {
        CevalOptions options = options();
        List<CevalSubject> questions = read();
        questions.forEach(subject -> subject.requireExamples(shots));
        report.write(spec.commandLine().getOut(), () -> evaluate(questions, options));
        return CommandLine.ExitCode.OK;
    }

    private CevalOptions options() {
        if (limit != null && limit < 1) {
            throw new CommandLine.ParameterException(spec.commandLine(), "--limit is %d, must be at least 1".formatted(limit));
        }
        return Failures.asUsage(spec, () -> CevalOptions.defaults()
                .method(method)
                .style(style)
                .cevalHeader(cevalHeader)
                .seed(seed)
                .shots(shots)
                .maxTokens(maxTokens));
    }

    private List<CevalSubject> read() {
        CevalSet set = CevalSet.open(data);
        return (subjects.isEmpty() ? set.subjects(split) : subjects.stream().distinct().toList()).stream()
                .map(id -> set.read(id, split))
                .map(subject -> limit == null ? subject : subject.first(limit))
                .toList();
    }

    private ReportOptions.Findings evaluate(List<CevalSubject> questions, CevalOptions options) throws IOException {
        PrintWriter err = spec.commandLine().getErr();
        try (ResultFile answers = predictions == null ? null : ResultFile.create(predictions);
                ResultFile submitted = submission == null ? null : ResultFile.create(submission);
                Llama llama = model.load(ModelOptions.WeightTypeDefault.OF_FILE, KvType.F16, context, err)) {
            CevalReport described = new CevalReport(
                    ModelOptions.name(llama.report()), data.toString(), split, shots, method, style, cevalHeader);
            CevalResult result = ask(llama, questions, options, answer -> {
                if (answers != null) {
                    answers.write(CevalReport.line(answer));
                }
            }, err);
            if (answers != null) {
                answers.complete();
            }
            if (submitted != null) {
                submitted.write(CevalReport.submission(result));
                submitted.complete();
            }
            return described.of(result);
        }
    }

    private static CevalResult ask(Llama llama, List<CevalSubject> questions, CevalOptions options, Consumer<CevalAnswer> listener, PrintWriter err) {
        long count = questions.stream().mapToLong(subject -> subject.questions().size()).sum();
        try (ProgressDisplay display = new ProgressDisplay(err, "asking", QUESTIONS)) {
            long[] done = new long[2];
            return new CevalEvaluation(LanguageModel.of(llama), options).run(questions, answer -> {
                listener.accept(answer);
                done[0]++;
                done[1] += answer.isCorrect() ? 1 : 0;
                display.update(done[0], count, String.format(Locale.ROOT, "%d right, in %s", done[1], answer.subject()));
            });
        }
    }
}
