package dev.yangtuo.recipe;

import dev.yangtuo.Llama;
import dev.yangtuo.chat.ChatTemplate;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Says which of two answers to a question is better. Called by many threads at a time. The verdicts are those of MT-bench (Zheng and others,
 * Judging LLM-as-a-Judge, arXiv 2306.05685): {@code [[A]]}, {@code [[B]]}, and {@code [[C]]} for a tie.
 */
@FunctionalInterface
public interface PairJudge {
    /** Places in the template of a pair. */
    Set<String> PLACES = Set.of("question", "answer_a", "answer_b");

    /**
     * Judges once, in this order.
     *
     * @param question that both answer
     * @param first the answer at the first place
     * @param second the answer at the second place
     * @throws dev.yangtuo.exception.ContextLengthException if all of it together is too long for the judge
     */
    Judgment judge(String question, String first, String second);

    /** Makes judgments that are in the making end soon. Does nothing unless this is overridden. */
    default void cancel() {}

    /** The template for {@link #byLogProbability}. */
    static PromptTemplate verdictTemplate(RecipeLanguage language) {
        return PromptTemplate.builtIn("judge-pair", language, PLACES);
    }

    /** The template for {@link #byText}: it asks for reasons first. */
    static PromptTemplate reasonsTemplate(RecipeLanguage language) {
        return PromptTemplate.builtIn("judge-pair-reasons", language, PLACES);
    }

    /**
     * A judge that is asked for nothing but the verdict: which of {@code A]]}, {@code B]]} and {@code C]]} is the most probable after the prompt
     * and {@code [[}. It always has a verdict, so small models can judge, too.
     *
     * @param template with {@link #PLACES}
     * @param chat the form in which the prompt becomes a message of the user; null: it is taken as it is
     */
    static PairJudge byLogProbability(Llama llama, PromptTemplate template, @Nullable ChatTemplate chat) {
        LlamaScores scores = new LlamaScores(llama, chat);
        return new PairJudge() {
            @Override
            public Judgment judge(String question, String first, String second) {
                String prompt = template.render(Map.of("question", question, "answer_a", first, "answer_b", second));
                try {
                    double[] sums = scores.sums(prompt, "[[", List.of("A]]", "B]]", "C]]"));
                    return new Judgment(mostProbable(sums[0], sums[1], sums[2]), Arrays.stream(sums).boxed().toList(), "");
                } catch (CancellationException e) {
                    return new Judgment(Verdict.NONE, List.of(), "cancelled");
                }
            }

            @Override
            public void cancel() {
                scores.cancel();
            }
        };
    }

    private static Verdict mostProbable(double first, double second, double tie) {
        if (Double.isNaN(first + second + tie)) {
            return Verdict.NONE; // a damaged model
        }
        if (tie >= Math.max(first, second) || first == second) {
            return Verdict.TIE;
        }
        return first > second ? Verdict.FIRST : Verdict.SECOND;
    }

    /**
     * A judge that writes its reasons and then the verdict. The last verdict in the text counts.
     *
     * @param template with {@link #PLACES}
     * @param seed of the texts
     */
    static PairJudge byText(TextGenerator generator, PromptTemplate template, long seed) {
        return new PairJudge() {
            @Override
            public Judgment judge(String question, String first, String second) {
                String prompt = template.render(Map.of("question", question, "answer_a", first, "answer_b", second));
                String text = generator.generate(prompt, Seeds.of(seed, prompt, 0)).text();
                return new Judgment(verdictIn(text), List.of(), text);
            }

            @Override
            public void cancel() {
                generator.cancel();
            }
        };
    }

    /** The last verdict in what a judge wrote. */
    static Verdict verdictIn(String text) {
        Matcher matcher = Pattern.compile("\\[\\[\\s?([ABCabc])\\s?]]").matcher(text);
        Verdict verdict = Verdict.NONE;
        while (matcher.find()) {
            verdict = switch (matcher.group(1).toUpperCase(Locale.ROOT)) {
                case "A" -> Verdict.FIRST;
                case "B" -> Verdict.SECOND;
                default -> Verdict.TIE;
            };
        }
        return verdict;
    }
}
