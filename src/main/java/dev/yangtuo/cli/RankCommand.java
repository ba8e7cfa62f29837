package dev.yangtuo.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.yangtuo.GenerateOptions;
import dev.yangtuo.KvType;
import dev.yangtuo.Llama;
import dev.yangtuo.LoadOptions;
import dev.yangtuo.chat.ChatTemplate;
import dev.yangtuo.recipe.AnswerRater;
import dev.yangtuo.recipe.BestOfN;
import dev.yangtuo.recipe.Completion;
import dev.yangtuo.recipe.LlamaGenerator;
import dev.yangtuo.recipe.PromptTemplate;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The best of several answers. */
@Command(
        name = "rank",
        mixinStandardHelpOptions = true,
        description = {
            "Writes several answers to each prompt and ranks them: by their mean log-probability, or by what a judge says of them (best-of-n).",
            "Writes the best one of each prompt, in the prompts' order, one JSON object a line."
        },
        footer = {
            "The input is JSON lines with a \"prompt\", a \"question\" or \"messages\", and an \"id\" (else the line's number). Each answer has a "
                    + "seed of its own, derived from --seed (0 unless given), the id and the answer's number, so the same command gives the same "
                    + "answers.",
            "  yangtuo rank --model chinese-alpaca --input prompts.jsonl --n 8 --by score --output best.jsonl"
        })
final class RankCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Mixin
    private ModelOptions model;

    @Option(names = ModelOptions.CONTEXT, paramLabel = "N", description = ModelOptions.CONTEXT_DESCRIPTION)
    private @Nullable Integer context;

    @Option(names = "--input", required = true, paramLabel = "FILE", description = "The prompts; - for standard input.")
    private String input;

    @Option(names = "--output", paramLabel = "FILE", description = "Write the answers into this file, which appears when it is complete. Default: "
            + "standard output.")
    private @Nullable Path output;

    @Option(names = "--n", paramLabel = "N", defaultValue = "4", description = "Answers to each prompt. Default: ${DEFAULT-VALUE}.")
    private int count;

    @Option(names = "--by", paramLabel = "METHOD", defaultValue = "logprob", completionCandidates = ValueNames.RankMethods.class,
            description = {
                "logprob: the mean log-probability of the answer's tokens. yes: how probable it is that a judge calls the answer good.",
                "score: the judge's 1 to 10 points. Default: ${DEFAULT-VALUE}."
            })
    private RankMethod by;

    @Option(names = "--judge-model", paramLabel = "PATH", description = "The model that judges. Default: the one that answers.")
    private @Nullable Path judgeModel;

    @Option(names = "--judge-lora", paramLabel = "PATH[:SCALE]", converter = LoraArgument.Converter.class, description = "An adapter of the model "
            + "that judges; several are merged in order.")
    private List<LoraArgument> judgeAdapters = List.of();

    @Mixin
    private RecipeTemplateOptions template;

    @Option(names = "--all", description = "Also write all answers of each prompt with their scores, the best first.")
    private boolean all;

    @Mixin
    private TextFlags text;

    @Option(names = "--in-flight", paramLabel = "N", defaultValue = "16", description = "Answers in the making at the same time. Default: "
            + "${DEFAULT-VALUE}.")
    private int inFlight;

    @Option(names = "--json", description = "Write a summary as one JSON object, to standard output if --output is given, else to standard error.")
    private boolean json;

    @Override
    public Integer call() throws IOException {
        PrintWriter err = spec.commandLine().getErr();
        checkOptions();
        GenerateOptions options = text.options(spec.commandLine());
        PromptTemplate asked = by.asks() ? template.template(by::template, AnswerRater.PLACES) : null;
        ChatTemplate chat = template.chat();
        TextFile file = TextFile.of(input);
        file.check();
        file.requireOther(output);
        try (ResultFile result = output == null ? null : ResultFile.create(output);
                TextRecords records = TextRecords.open(file);
                Llama llama = model.load(ModelOptions.WeightTypeDefault.OF_FILE, KvType.F16, context, err);
                Llama judge = loadJudge()) {
            BestOfN.Scorer scorer = asked == null
                    ? BestOfN.Scorer.meanLogProbability()
                    : by.scorer(judge == null ? llama : judge, asked, chat, template.language());
            BestOfN ranking = new BestOfN(new LlamaGenerator(llama, options, chat), scorer, count, seed(), inFlight);
            AtomicBoolean interrupted = new AtomicBoolean();
            try (InterruptGuard _ = new InterruptGuard(() -> {
                interrupted.set(true);
                ranking.cancel();
            })) {
                Summary summary = run(ranking, records, result, interrupted);
                if (result != null) {
                    result.complete();
                }
                report(summary);
                return summary.interrupted ? InterruptGuard.EXIT_CODE : CommandLine.ExitCode.OK;
            }
        }
    }

    private void checkOptions() {
        if (count < 1 || count > 1000) {
            throw wrong("--n is %d, must be 1 to 1000".formatted(count), null);
        }
        if (inFlight < 1) {
            throw wrong("--in-flight is %d, must be at least 1".formatted(inFlight), null);
        }
        if (!by.asks() && (judgeModel != null || template.hasFile())) {
            throw wrong("%s is for --by yes and --by score".formatted(judgeModel != null ? "--judge-model" : "--template"), null);
        }
        if (judgeModel == null && !judgeAdapters.isEmpty()) {
            throw wrong("--judge-lora is of --judge-model, which is not there", null);
        }
        if (count > 1 && Boolean.TRUE.equals(spec.findOption("--greedy").getValue())) {
            throw wrong("--greedy gives the same answer %d times; leave it out, or give --n 1".formatted(count), null);
        }
    }

    private long seed() {
        Long seed = text.seed();
        return seed == null ? 0 : seed;
    }

    private CommandLine.ParameterException wrong(String problem, @Nullable Exception cause) {
        return new CommandLine.ParameterException(spec.commandLine(), problem, cause);
    }

    private @Nullable Llama loadJudge() {
        if (judgeModel == null) {
            return null;
        }
        LoadOptions options = model.threads() == null ? LoadOptions.defaults() : LoadOptions.defaults().threads(model.threads());
        for (LoraArgument adapter : judgeAdapters) {
            options = options.lora(adapter.path(), adapter.scale());
        }
        return Llama.load(judgeModel, options);
    }

    /** What was done. */
    private static final class Summary {
        private int prompts;
        private int errors;
        private int tokens;
        private double scores;
        private double firstScores;
        private boolean interrupted;
    }

    private Summary run(BestOfN ranking, TextRecords records, @Nullable ResultFile result, AtomicBoolean interrupted) {
        Summary summary = new Summary();
        try (ProgressDisplay display = new ProgressDisplay(spec.commandLine().getErr(), "ranking", new ProgressDisplay.Unit("prompts", 1))) {
            ranking.run(prompts(records), ranked -> {
                if (!interrupted.get()) {
                    count(summary, ranked);
                    append(asJson(ranked), result);
                    display.update(summary.prompts, ProgressDisplay.UNKNOWN_TOTAL);
                }
                return !interrupted.get();
            });
        }
        summary.interrupted = interrupted.get();
        return summary;
    }

    private static Iterator<BestOfN.Prompt> prompts(TextRecords records) {
        return new Iterator<>() {
            private int number;

            @Override
            public boolean hasNext() {
                return records.hasNext();
            }

            @Override
            public BestOfN.Prompt next() {
                TextRecords.TextRecord record = records.next();
                number++;
                return new BestOfN.Prompt(record.id() == null ? Integer.toString(number) : record.id(), record.requirePrompt("it is what is to be answered"));
            }
        };
    }

    private static void count(Summary summary, BestOfN.Ranked ranked) {
        summary.prompts++;
        if (ranked.error() != null) {
            summary.errors++;
            return;
        }
        ranked.candidates().forEach(candidate -> summary.tokens += candidate.completion().tokens());
        summary.scores += ranked.candidates().getFirst().score();
        summary.firstScores += ranked.candidates().stream().filter(candidate -> candidate.number() == 0).findFirst().orElseThrow().score();
    }

    private void append(ObjectNode line, @Nullable ResultFile result) {
        if (result != null) {
            result.write((line + "\n").getBytes(StandardCharsets.UTF_8));
            return;
        }
        PrintWriter out = spec.commandLine().getOut();
        try {
            JsonResult.write(line, out);
            StandardOutput.flush(out);
        } catch (IOException e) {
            throw new UncheckedIOException(e.getMessage(), e);
        }
    }

    private ObjectNode asJson(BestOfN.Ranked ranked) {
        ObjectNode object = JsonResult.object();
        object.put("id", ranked.prompt().id()).put("prompt", ranked.prompt().text());
        if (ranked.error() != null) {
            return object.put("error", ranked.error());
        }
        put(object, ranked.candidates().getFirst());
        if (all) {
            ranked.candidates().forEach(candidate -> put(object.withArray("candidates").addObject(), candidate));
        }
        return object;
    }

    private static void put(ObjectNode object, BestOfN.Candidate candidate) {
        Completion completion = candidate.completion();
        object.put("text", completion.text());
        object.set("score", JsonResult.number(candidate.score()));
        object.put("number", candidate.number()).put("seed", completion.seed());
        object.put("finish_reason", completion.finishReason().name().toLowerCase(Locale.ROOT)).put("completion_tokens", completion.tokens());
        object.set("mean_log_probability", JsonResult.number(completion.meanLogProbability()));
    }

    private void report(Summary summary) throws IOException {
        PrintWriter to = json && output != null ? spec.commandLine().getOut() : spec.commandLine().getErr();
        int answered = summary.prompts - summary.errors;
        double best = summary.scores / answered;
        double first = summary.firstScores / answered;
        if (json) {
            ObjectNode object = JsonResult.object();
            object.put("prompts", summary.prompts).put("errors", summary.errors).put("n", count).put("by", by.label()).put("completion_tokens", summary.tokens);
            object.set("mean_best_score", JsonResult.number(best));
            object.set("mean_first_score", JsonResult.number(first));
            JsonResult.write(object.put("interrupted", summary.interrupted), to);
            to.flush();
            if (output != null) {
                StandardOutput.flush(to);
            }
            return;
        }
        to.println(String.format(Locale.ROOT, "%d prompts, %d with an error, %d answers to each; mean score of the best %s, of the first %s "
                + "(%s)%s",
                summary.prompts, summary.errors, count, shown(best), shown(first), by.label(), summary.interrupted ? "; interrupted" : ""));
    }

    /** There is no mean of nothing. */
    private static String shown(double score) {
        return Double.isFinite(score) ? String.format(Locale.ROOT, "%.4f", score) : "-";
    }
}
