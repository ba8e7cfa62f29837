package dev.yangtuo.eval;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * How a model did on multiple-choice questions. Accuracies are in per cent.
 *
 * @param subjects in the order in which they were asked
 * @param answers to all questions, in the order of subjects and files
 */
public record CevalResult(List<SubjectScore> subjects, List<CevalAnswer> answers) {
    /**
     * How it did on one subject.
     *
     * @param id of the subject
     * @param name Chinese
     * @param category null where none is known
     * @param hard whether it belongs to C-Eval Hard
     * @param questions that were asked
     * @param scored of these, those whose answer is known
     * @param correct of these, those that were answered correctly
     * @param guessed of the questions, those for which the text named no answer
     * @param fewerShots of the questions, those whose prompt took fewer examples than were asked for
     */
    public record SubjectScore(
            String id, String name, @Nullable CevalCategory category, boolean hard, int questions, int scored, int correct, int guessed, int fewerShots) {
        /** 100 correct / scored; NaN if nothing was scored. */
        public double accuracy() {
            return 100.0 * correct / scored;
        }
    }

    /**
     * A mean over some subjects.
     *
     * @param subjects how many, of those of which something was scored
     * @param scored questions of them whose answer is known
     * @param correct of these, those that were answered correctly
     * @param ofSubjects the mean of the subjects' accuracies, which C-Eval publishes (arXiv 2305.08322, section 3); NaN of none
     */
    public record Average(int subjects, int scored, int correct, double ofSubjects) {
        /** 100 correct / scored, the mean over questions, which Chinese-LLaMA-Alpaca's script computes; NaN of none. */
        public double ofQuestions() {
            return 100.0 * correct / scored;
        }
    }

    /** Copies the lists. */
    public CevalResult {
        subjects = List.copyOf(subjects);
        answers = List.copyOf(answers);
    }

    static CevalResult of(List<CevalSubject> subjects, List<CevalAnswer> answers, int shots) {
        List<SubjectScore> scores = new ArrayList<>();
        for (CevalSubject subject : subjects) {
            List<CevalAnswer> own = answers.stream().filter(answer -> answer.subject().equals(subject.id())).toList();
            scores.add(new SubjectScore(
                    subject.id(),
                    subject.name(),
                    subject.category(),
                    subject.isHard(),
                    own.size(),
                    count(own, answer -> answer.expected() != null),
                    count(own, CevalAnswer::isCorrect),
                    count(own, CevalAnswer::guessed),
                    count(own, answer -> answer.shots() < shots)));
        }
        return new CevalResult(scores, answers);
    }

    private static int count(List<CevalAnswer> answers, Predicate<CevalAnswer> counted) {
        return (int) answers.stream().filter(counted).count();
    }

    /** The mean over all subjects. */
    public Average overall() {
        return average(subject -> true);
    }

    /** The mean over the subjects of a category. */
    public Average of(CevalCategory category) {
        return average(subject -> subject.category() == category);
    }

    /** The mean over the subjects of C-Eval Hard. */
    public Average hard() {
        return average(SubjectScore::hard);
    }

    private Average average(Predicate<SubjectScore> counted) {
        List<SubjectScore> scored = subjects.stream().filter(counted).filter(subject -> subject.scored() > 0).toList();
        return new Average(
                scored.size(),
                scored.stream().mapToInt(SubjectScore::scored).sum(),
                scored.stream().mapToInt(SubjectScore::correct).sum(),
                scored.stream().mapToDouble(SubjectScore::accuracy).average().orElse(Double.NaN));
    }

    /** The answers as C-Eval wants them submitted: subject, question, letter. */
    public Map<String, Map<String, String>> submission() {
        Map<String, Map<String, String>> submission = new LinkedHashMap<>();
        subjects.forEach(subject -> submission.put(subject.id(), new LinkedHashMap<>()));
        answers.forEach(answer -> submission.get(answer.subject()).put(answer.id(), answer.answer()));
        return submission;
    }
}
