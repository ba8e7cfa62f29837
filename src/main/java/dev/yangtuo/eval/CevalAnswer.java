package dev.yangtuo.eval;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A model's answer to a question.
 *
 * @param subject id of the subject
 * @param id id of the question
 * @param answer the letter that the model chose
 * @param expected the letter that is right; null where nobody knows
 * @param guessed whether the model's text named no answer, and one was drawn
 * @param shots examples that went before the question
 * @param scores what {@link LanguageModel#scoreNext} gave for A, B, C and D; empty where the answer was generated
 * @param text what was generated; empty where the answer was chosen by log-probability
 */
public record CevalAnswer(
        String subject, String id, String answer, @Nullable String expected, boolean guessed, int shots, List<Double> scores, String text) {
    /** Copies the list. */
    public CevalAnswer {
        scores = List.copyOf(scores);
    }

    /** Whether the answer is right; false where nobody knows. */
    public boolean isCorrect() {
        return answer.equals(expected);
    }
}
