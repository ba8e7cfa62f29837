package dev.yangtuo.eval;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A question with four answers to choose from.
 *
 * @param line of its file, from 1, on which it begins
 * @param id its id there, or its number from 0 where the file has no ids; no other question of the file has it
 * @param text the question
 * @param choices the four answers, A first
 * @param answer the letter of the one that is right; null where the file does not say
 */
public record CevalQuestion(long line, String id, String text, List<String> choices, @Nullable String answer) {
    /** Names of the choices. */
    public static final List<String> LETTERS = List.of("A", "B", "C", "D");

    /**
     * Copies the list.
     *
     * @throws IllegalArgumentException if there are not four choices, or the answer is none of their letters
     */
    public CevalQuestion {
        choices = List.copyOf(choices);
        if (choices.size() != LETTERS.size()) {
            throw new IllegalArgumentException("there are %d choices, must be %d".formatted(choices.size(), LETTERS.size()));
        }
        if (answer != null && !LETTERS.contains(answer)) {
            throw new IllegalArgumentException("the answer is '%s', must be A, B, C or D".formatted(answer));
        }
    }
}
