package dev.yangtuo.recipe;

import dev.yangtuo.Llama;
import dev.yangtuo.chat.ChatTemplate;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** Says how good an answer to a question is, as a number. Called by many threads at a time. */
@FunctionalInterface
public interface AnswerRater {
    /** Places in the template of a rating. */
    Set<String> PLACES = Set.of("question", "answer");

    /**
     * Rates one answer.
     *
     * @param question that it answers
     * @param answer what is rated
     * @return the higher the better; NaN if the rater said nothing that could be understood
     * @throws dev.yangtuo.exception.ContextLengthException if all of it together is too long for the rater
     */
    double rate(String question, String answer);

    /** Makes ratings that are in the making end soon. Does nothing unless this is overridden. */
    default void cancel() {}

    /** The template for {@link #byLogProbability}. */
    static PromptTemplate scoreTemplate(RecipeLanguage language) {
        return PromptTemplate.builtIn("judge-score", language, PLACES);
    }

    /** The template for {@link #byText}: it asks for reasons first. */
    static PromptTemplate reasonsTemplate(RecipeLanguage language) {
        return PromptTemplate.builtIn("judge-score-reasons", language, PLACES);
    }

    /** The template for {@link #byYes}. */
    static PromptTemplate yesTemplate(RecipeLanguage language) {
        return PromptTemplate.builtIn("judge-yes", language, PLACES);
    }

    /**
     * A score of 1 to 10, as the judge of the Chinese-LLaMA paper gives (Cui, Yang and Yao, arXiv 2304.08177), of which this takes the mean over
     * the probabilities of the ten scores after the prompt and {@code [[}, as G-Eval does (Liu and others, arXiv 2303.16634): small differences
     * count, and there always is a score.
     *
     * @param template with {@link #PLACES}
     * @param chat the form in which the prompt becomes a message of the user; null: it is taken as it is
     */
    static AnswerRater byLogProbability(Llama llama, PromptTemplate template, @Nullable ChatTemplate chat) {
        List<String> scores = IntStream.rangeClosed(1, 10).mapToObj("%d]]"::formatted).toList();
        return new ScoredAnswers(llama, template, chat, "[[", scores, AnswerRater::meanScore);
    }

    /** @param logs log-probabilities of the scores from 1 on */
    private static double meanScore(double[] logs) {
        double most = Arrays.stream(logs).max().orElseThrow();
        double weights = 0;
        double sum = 0;
        for (int i = 0; i < logs.length; i++) {
            double weight = Math.exp(logs[i] - most);
            weights += weight;
            sum += weight * (i + 1);
        }
        return sum / weights;
    }

    /**
     * A score of 1 to 10 that the judge writes as {@code [[7]]} behind its reasons. The last one in the text counts.
     *
     * @param template with {@link #PLACES}
     * @param seed of the texts
     */
    static AnswerRater byText(TextGenerator generator, PromptTemplate template, long seed) {
        return new AnswerRater() {
            @Override
            public double rate(String question, String answer) {
                String prompt = template.render(Map.of("question", question, "answer", answer));
                return scoreIn(generator.generate(prompt, Seeds.of(seed, prompt, 0)).text());
            }

            @Override
            public void cancel() {
                generator.cancel();
            }
        };
    }

    /**
     * Whether the answer is good, as a judge says with yes or no: the natural logarithm of the probability of yes among the two.
     *
     * @param template with {@link #PLACES}, to be answered in the language
     * @param chat the form in which the prompt becomes a message of the user; null: it is taken as it is
     */
    static AnswerRater byYes(Llama llama, PromptTemplate template, @Nullable ChatTemplate chat, RecipeLanguage language) {
        List<String> words = language == RecipeLanguage.CHINESE ? List.of("是", "否") : List.of("Yes", "No");
        return new ScoredAnswers(llama, template, chat, "", words, logs -> -Math.log1p(Math.exp(logs[1] - logs[0])));
    }

    /** The last score in what a judge wrote; NaN if there is none of 1 to 10. */
    static double scoreIn(String text) {
        Matcher matcher = Pattern.compile("\\[\\[\\s?([0-9]{1,2}(?:\\.[0-9]{1,3})?)\\s?]]").matcher(text);
        double score = Double.NaN;
        while (matcher.find()) {
            double found = Double.parseDouble(matcher.group(1));
            score = found >= 1 && found <= 10 ? found : score;
        }
        return score;
    }
}
