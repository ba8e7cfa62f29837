package dev.yangtuo.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.yangtuo.eval.AnswerMethod;
import dev.yangtuo.eval.CevalAnswer;
import dev.yangtuo.eval.CevalCategory;
import dev.yangtuo.eval.CevalQuestion;
import dev.yangtuo.eval.CevalResult;
import dev.yangtuo.eval.CevalSplit;
import dev.yangtuo.eval.PromptStyle;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.ToIntFunction;

/**
 * What {@code eval ceval} found, for people and for programs.
 *
 * @param model its name
 * @param data where the questions are from
 * @param split which of them were asked
 * @param shots examples that were asked for
 * @param method how answers were found
 * @param style what stood around the prompts
 * @param cevalHeader whether C-Eval's own header stood before them
 */
record CevalReport(String model, String data, CevalSplit split, int shots, AnswerMethod method, PromptStyle style, boolean cevalHeader) {
    private static final JsonMapper JSON = new JsonMapper();

    ReportOptions.Findings of(CevalResult result) {
        return new ReportOptions.Findings(
                new Report(facts(result), List.of(new Report.Table(subjects(result), Set.of(0, 1, 2)), new Report.Table(averages(result), Set.of(0)))),
                json(result));
    }

    private Map<String, String> facts(CevalResult result) {
        int questions = sum(result, CevalResult.SubjectScore::questions);
        int scored = sum(result, CevalResult.SubjectScore::scored);
        int guessed = sum(result, CevalResult.SubjectScore::guessed);
        int fewer = sum(result, CevalResult.SubjectScore::fewerShots);
        Map<String, String> facts = new LinkedHashMap<>();
        facts.put("model", model);
        facts.put("questions", "%d in %d subjects of %s, %s".formatted(questions, result.subjects().size(), data, split.label()));
        facts.put("prompts", "%s%s, %d-shot%s".formatted(style.label(), cevalHeader ? ", C-Eval's header" : "", shots,
                fewer == 0 ? "" : "; %d questions had fewer examples, for the context has no room".formatted(fewer)));
        facts.put("answers", "by " + method.label() + (guessed == 0 ? "" : "; %d texts named none, it was guessed".formatted(guessed)));
        if (scored < questions) {
            facts.put("not scored", "%d questions, whose answers the files do not say; --submission FILE writes the model's".formatted(questions - scored));
        }
        return facts;
    }

    private static int sum(CevalResult result, ToIntFunction<CevalResult.SubjectScore> of) {
        return result.subjects().stream().mapToInt(of).sum();
    }

    private static List<List<String>> subjects(CevalResult result) {
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("subject", "name", "category", "questions", "correct", "accuracy"));
        for (CevalResult.SubjectScore subject : result.subjects()) {
            CevalCategory category = subject.category();
            rows.add(List.of(subject.id(), subject.name(), category == null ? "-" : category.label(), String.valueOf(subject.questions()),
                    subject.scored() == 0 ? "-" : String.valueOf(subject.correct()), percent(subject.accuracy())));
        }
        return rows;
    }

    private static List<List<String>> averages(CevalResult result) {
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("average", "subjects", "questions", "correct", "of subjects", "of questions"));
        means(result).forEach((name, mean) -> rows.add(List.of(name, String.valueOf(mean.subjects()), String.valueOf(mean.scored()),
                String.valueOf(mean.correct()), percent(mean.ofSubjects()), percent(mean.ofQuestions()))));
        return rows;
    }

    /** C-Eval's columns, and C-Eval Hard. */
    private static Map<String, CevalResult.Average> means(CevalResult result) {
        Map<String, CevalResult.Average> means = new LinkedHashMap<>();
        for (CevalCategory category : CevalCategory.values()) {
            means.put(category.label(), result.of(category));
        }
        means.put("All", result.overall());
        means.put("Hard", result.hard());
        return means;
    }

    private static String percent(double value) {
        return Double.isNaN(value) ? "-" : String.format(Locale.ROOT, "%.1f", value);
    }

    /** Keys are not renamed or removed. */
    private ObjectNode json(CevalResult result) {
        ObjectNode root = JsonResult.object();
        root.put("task", "ceval").put("model", model).put("data", data).put("split", split.label()).put("shots", shots).put("method", method.label());
        root.put("prompt_style", style.label()).put("c_eval_header", cevalHeader);
        ObjectNode subjects = root.putObject("subjects");
        for (CevalResult.SubjectScore subject : result.subjects()) {
            CevalCategory category = subject.category();
            ObjectNode object = subjects.putObject(subject.id());
            object.put("name", subject.name()).put("category", category == null ? null : category.label()).put("hard", subject.hard());
            object.put("questions", subject.questions()).put("scored", subject.scored()).put("correct", subject.correct());
            object.set("accuracy", JsonResult.number(subject.accuracy()));
            object.put("guessed", subject.guessed()).put("fewer_shots", subject.fewerShots());
        }
        ObjectNode averages = root.putObject("averages");
        means(result).forEach((name, mean) -> {
            ObjectNode object = averages.putObject(name);
            object.put("subjects", mean.subjects()).put("scored", mean.scored()).put("correct", mean.correct());
            object.set("accuracy_of_subjects", JsonResult.number(mean.ofSubjects()));
            object.set("accuracy_of_questions", JsonResult.number(mean.ofQuestions()));
        });
        return root;
    }

    /** A line of {@code --predictions}. */
    static byte[] line(CevalAnswer answer) {
        ObjectNode object = JsonResult.object();
        object.put("subject", answer.subject()).put("id", answer.id()).put("prediction", answer.answer()).put("answer", answer.expected());
        object.put("correct", answer.isCorrect()).put("guessed", answer.guessed()).put("shots", answer.shots());
        if (answer.scores().isEmpty()) {
            object.put("text", answer.text());
        } else {
            ObjectNode scores = object.putObject("scores");
            for (int i = 0; i < answer.scores().size(); i++) {
                scores.put(CevalQuestion.LETTERS.get(i), answer.scores().get(i));
            }
        }
        return (object + "\n").getBytes(StandardCharsets.UTF_8);
    }

    /** The file of {@code --submission}. */
    static byte[] submission(CevalResult result) {
        try {
            return (JSON.writerWithDefaultPrettyPrinter().writeValueAsString(result.submission()) + "\n").getBytes(StandardCharsets.UTF_8);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e); // maps of texts can be written
        }
    }
}
