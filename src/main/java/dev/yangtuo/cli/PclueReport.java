package dev.yangtuo.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.yangtuo.eval.AnswerMethod;
import dev.yangtuo.eval.PclueResult;
import dev.yangtuo.eval.PromptStyle;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What {@code eval pclue} found, for people and for programs.
 *
 * @param answers whose they are: a model's name, or a file
 * @param data where the tasks are from
 * @param method how answers were found; null where they are from a file
 * @param perToken whether log-probabilities were divided by the numbers of tokens
 * @param style what stood around the prompts; null where answers are from a file
 */
record PclueReport(String answers, String data, @Nullable AnswerMethod method, boolean perToken, @Nullable PromptStyle style) {
    ReportOptions.Findings of(PclueTally tally) {
        PclueResult result = tally.result();
        return new ReportOptions.Findings(new Report(facts(tally), List.of(new Report.Table(rows(result), Set.of(0, 1)))), json(tally, result));
    }

    private Map<String, String> facts(PclueTally tally) {
        Map<String, String> facts = new LinkedHashMap<>();
        facts.put(method == null ? "answers" : "model", answers);
        facts.put("tasks", "%d of %s".formatted(tally.answered(), data));
        if (method != null && style != null) {
            facts.put("prompts", style.label() + (tally.shortened() == 0 ? "" : "; %d lost their beginning, for the context has no room".formatted(tally.shortened())));
            facts.put("answers", "by %s%s".formatted(method.label(), perToken ? " per token" : ""));
        }
        long unscored = tally.answered() - tally.result().count();
        if (unscored > 0) {
            facts.put("not scored", "%d tasks, whose targets the file does not say".formatted(unscored));
        }
        return facts;
    }

    private static List<List<String>> rows(PclueResult result) {
        return List.of(
                List.of("type", "measure", "tasks", "score"),
                row("classify", "accuracy", result.classifyCount(), result.classify()),
                row("nli", "accuracy", result.nliCount(), result.nli()),
                row("generate", "ROUGE-L", result.generateCount(), result.generate()),
                row("mrc", "exact match", result.mrcCount(), result.exactMatch()),
                row("mrc", "F1", result.mrcCount(), result.f1()),
                row("mrc", "mean of both", result.mrcCount(), result.mrc()),
                row("all", "mean of types", result.count(), result.score()));
    }

    private static List<String> row(String type, String measure, long tasks, double score) {
        return List.of(type, measure, String.valueOf(tasks), Double.isNaN(score) ? "-" : String.format(Locale.ROOT, "%.4f", score));
    }

    /** The scores have the reference's names. Keys are not renamed or removed. */
    private ObjectNode json(PclueTally tally, PclueResult result) {
        ObjectNode root = JsonResult.object();
        root.put("task", "pclue").put(method == null ? "predictions" : "model", answers).put("data", data);
        root.put("method", method == null ? null : method.label()).put("per_token", perToken).put("prompt_style", style == null ? null : style.label());
        root.put("tasks", tally.answered()).put("scored", result.count()).put("shortened", tally.shortened());
        root.set("score", JsonResult.number(result.score()));
        root.set("classify_score", JsonResult.number(result.classify()));
        root.set("nli_score", JsonResult.number(result.nli()));
        root.set("generate_score", JsonResult.number(result.generate()));
        root.set("mrc_em_score", JsonResult.number(result.exactMatch()));
        root.set("mrc_f1_score", JsonResult.number(result.f1()));
        root.putObject("counts").put("classify", result.classifyCount()).put("nli", result.nliCount())
                .put("generate", result.generateCount()).put("mrc", result.mrcCount());
        return root;
    }
}
