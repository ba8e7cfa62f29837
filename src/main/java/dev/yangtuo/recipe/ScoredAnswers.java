package dev.yangtuo.recipe;

import dev.yangtuo.Llama;
import dev.yangtuo.chat.ChatTemplate;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;

/** A rater that makes a number of the log-probabilities of some words after the prompt. */
final class ScoredAnswers implements AnswerRater {
    private final LlamaScores scores;
    private final PromptTemplate template;
    private final String lead;
    private final List<String> words;
    private final ToDoubleFunction<double[]> rating;

    /**
     * @param chat the form in which prompts become messages of the user; null: they are taken as they are
     * @param lead stands behind the template, before the words
     * @param rating of their log-probabilities
     */
    ScoredAnswers(
            Llama llama, PromptTemplate template, @Nullable ChatTemplate chat, String lead, List<String> words, ToDoubleFunction<double[]> rating) {
        this.scores = new LlamaScores(llama, chat);
        this.template = template;
        this.lead = lead;
        this.words = words;
        this.rating = rating;
    }

    /** NaN also if it was cancelled. */
    @Override
    public double rate(String question, String answer) {
        try {
            return rating.applyAsDouble(scores.sums(template.render(Map.of("question", question, "answer", answer)), lead, words));
        } catch (CancellationException e) {
            return Double.NaN;
        }
    }

    @Override
    public void cancel() {
        scores.cancel();
    }
}
