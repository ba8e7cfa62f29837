package dev.yangtuo.cli;

import dev.yangtuo.KvType;
import dev.yangtuo.Llama;
import dev.yangtuo.eval.AnswerMethod;
import dev.yangtuo.eval.LanguageModel;
import dev.yangtuo.eval.PclueItem;
import dev.yangtuo.eval.PclueOptions;
import dev.yangtuo.eval.PcluePredictor;
import dev.yangtuo.eval.PromptStyle;
import dev.yangtuo.exception.YangtuoException;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** pCLUE's tasks: answers by a model, and their scores. */
@Command(
        name = "pclue",
        mixinStandardHelpOptions = true,
        description = {
            "Lets a model answer pCLUE's tasks, JSON lines {\"input\":..,\"target\":..,\"answer_choices\":[..],\"type\":..}, and scores the answers as pCLUE's own script does:",
            "accuracy of classify and nli, exact match and F1 of mrc, ROUGE-L of generate, and the mean of these. With --score-only the answers are those of a file."
        },
        footer = {
            "docs/evaluation.md describes files, prompts and figures.",
            "  yangtuo eval pclue --data examples/eval/pclue.jsonl --predictions answers.jsonl",
            "  yangtuo eval pclue --data examples/eval/pclue.jsonl --score-only examples/eval/pclue-predictions.jsonl",
            "  yangtuo eval pclue --model path/to/chinese-alpaca --data pCLUE_test_public.json --prompt-style alpaca --limit 1000 --json"
        })
final class PclueCommand implements Callable<Integer> {
    private static final ProgressDisplay.Unit TASKS = new ProgressDisplay.Unit("tasks", 1);

    @Spec
    private CommandSpec spec;

    @Mixin
    private ModelOptions model;

    @Option(names = ModelOptions.CONTEXT, paramLabel = "N", description = ModelOptions.CONTEXT_DESCRIPTION)
    private @Nullable Integer context;

    @Option(names = "--data", required = true, paramLabel = "FILE", description = "The tasks, one JSON object a line; - for standard input.")
    private String data;

    @Option(names = "--limit", paramLabel = "N", description = "Take the first N tasks.")
    private @Nullable Integer limit;

    @Option(names = "--predictions", paramLabel = "FILE", description = "Write the answers to FILE, a line {\"target\":..} each, as pCLUE wants them submitted.")
    private @Nullable Path predictions;

    @Option(names = "--score-only", paramLabel = "FILE", description = "Score the answers in FILE, lines as --predictions writes them; no model is loaded.")
    private @Nullable String scored;

    @Option(names = "--method", paramLabel = "METHOD", completionCandidates = ValueNames.AnswerMethods.class,
            description = "generation: the first line that is generated; log-probability: the most probable choice, where there are choices. Default: generation.")
    private AnswerMethod method = AnswerMethod.GENERATION;

    @Option(names = "--per-token", description = "Divide log-probabilities of choices by the numbers of their tokens before they are compared.")
    private boolean perToken;

    @Option(names = "--prompt-style", paramLabel = "STYLE", completionCandidates = ValueNames.PromptStyles.class,
            description = "plain, alpaca (Chinese-Alpaca's) or alpaca-2 (Chinese-Alpaca-2's). Default: plain.")
    private PromptStyle style = PromptStyle.PLAIN;

    @Option(names = "--max-tokens", paramLabel = "N", description = "Tokens of a generated answer at most. Default: 64.")
    private int maxTokens = 64;

    @Mixin
    private ReportOptions report;

    @Override
    public Integer call() throws IOException {
        PclueOptions options = options();
        TextFile file = TextFile.of(data);
        file.check();
        file.requireOther(predictions);
        report.write(spec.commandLine().getOut(), () -> scored == null ? answer(file, options) : score(file, TextFile.of(scored)));
        return CommandLine.ExitCode.OK;
    }

    private PclueOptions options() {
        if (limit != null && limit < 1) {
            throw new CommandLine.ParameterException(spec.commandLine(), "--limit is %d, must be at least 1".formatted(limit));
        }
        if (scored != null && predictions != null) {
            throw new CommandLine.ParameterException(spec.commandLine(), "--score-only excludes --predictions: no model writes answers");
        }
        if (scored != null && TextFile.of(data).path() == null && TextFile.of(scored).path() == null) {
            throw new CommandLine.ParameterException(spec.commandLine(), "--data and --score-only cannot both be standard input");
        }
        return Failures.asUsage(spec, () -> PclueOptions.defaults().method(method).perToken(perToken).style(style).maxTokens(maxTokens));
    }

    private Iterator<PclueItem> items(InputStream in, String name) {
        Iterable<PclueItem> all = () -> new PclueLines<>(in, name, PclueItem::parse);
        Stream<PclueItem> stream = StreamSupport.stream(all.spliterator(), false);
        return (limit == null ? stream : stream.limit(limit)).iterator();
    }

    private ReportOptions.Findings answer(TextFile file, PclueOptions options) throws IOException {
        PrintWriter err = spec.commandLine().getErr();
        try (ResultFile answers = predictions == null ? null : ResultFile.create(predictions);
                InputStream in = file.open();
                Llama llama = model.load(ModelOptions.WeightTypeDefault.OF_FILE, KvType.F16, context, err);
                ProgressDisplay display = new ProgressDisplay(err, "answering", TASKS)) {
            PclueTally tally = new PclueTally();
            new PcluePredictor(LanguageModel.of(llama), options).predict(items(in, file.name()), prediction -> {
                tally.add(prediction);
                if (answers != null) {
                    answers.write((JsonResult.object().put("target", prediction.text()) + "\n").getBytes(StandardCharsets.UTF_8));
                }
                display.update(tally.answered(), limit == null ? ProgressDisplay.UNKNOWN_TOTAL : limit);
            });
            requireSome(tally.answered(), file.name());
            if (answers != null) {
                answers.complete();
            }
            return new PclueReport(ModelOptions.name(llama.report()), file.name(), method, perToken, style).of(tally);
        }
    }

    private ReportOptions.Findings score(TextFile file, TextFile given) throws IOException {
        given.check();
        PclueTally tally = new PclueTally();
        try (InputStream in = file.open(); InputStream answersIn = given.open()) {
            Iterator<PclueItem> items = items(in, file.name());
            Iterator<String> answers = new PclueLines<>(answersIn, given.name(), PclueItem::parsePrediction);
            while (items.hasNext()) {
                PclueItem item = items.next();
                if (!answers.hasNext()) {
                    throw new YangtuoException("%s: has %d answers, %s has more tasks; give a line for each task, or --limit".formatted(given.name(), tally.answered(), file.name()));
                }
                tally.add(item, answers.next());
            }
            if (limit == null && answers.hasNext()) {
                throw new YangtuoException("%s: has more than the %d answers that %s has tasks; give the file that belongs to it".formatted(given.name(), tally.answered(), file.name()));
            }
        }
        requireSome(tally.answered(), file.name());
        return new PclueReport(given.name(), file.name(), null, false, null).of(tally);
    }

    private static void requireSome(long tasks, String name) {
        if (tasks == 0) {
            throw new YangtuoException("%s: has no tasks; expected a line {\"input\":..,\"target\":..,\"answer_choices\":[..],\"type\":..} each".formatted(name));
        }
    }
}
