package dev.yangtuo.cli;

import dev.yangtuo.GenerateOptions;
import dev.yangtuo.Llama;
import dev.yangtuo.chat.ChatTemplate;
import dev.yangtuo.recipe.AnswerRater;
import dev.yangtuo.recipe.LlamaGenerator;
import dev.yangtuo.recipe.PairJudge;
import dev.yangtuo.recipe.PromptTemplate;
import dev.yangtuo.recipe.RecipeLanguage;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** How {@code judge} asks. */
enum JudgeMethod {
    /** For the most probable verdict. */
    LOGPROB,
    /** For reasons and a verdict. */
    TEXT,
    /** For the mean of the probable scores of each answer. */
    SCORE,
    /** For reasons and a score of each answer. */
    SCORE_TEXT;

    static JudgeMethod of(String name) {
        for (JudgeMethod method : values()) {
            if (method.label().equals(name.toLowerCase(Locale.ROOT))) {
                return method;
            }
        }
        throw new IllegalArgumentException("'%s' is not a method to judge by; there are logprob, text, score, score-text".formatted(name));
    }

    /** As it is written on the command line. */
    String label() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** Whether answers are rated one by one. */
    boolean rates() {
        return this == SCORE || this == SCORE_TEXT;
    }

    /** Whether the judge writes. */
    boolean writes() {
        return this == TEXT || this == SCORE_TEXT;
    }

    Set<String> places() {
        return rates() ? AnswerRater.PLACES : PairJudge.PLACES;
    }

    PromptTemplate template(RecipeLanguage language) {
        return switch (this) {
            case LOGPROB -> PairJudge.verdictTemplate(language);
            case TEXT -> PairJudge.reasonsTemplate(language);
            case SCORE -> AnswerRater.scoreTemplate(language);
            case SCORE_TEXT -> AnswerRater.reasonsTemplate(language);
        };
    }

    /** A judge of pairs; for the methods that do not rate. */
    PairJudge judge(Llama llama, PromptTemplate template, @Nullable ChatTemplate chat, GenerateOptions options, long seed) {
        return this == TEXT
                ? PairJudge.byText(new LlamaGenerator(llama, options, chat), template, seed)
                : PairJudge.byLogProbability(llama, template, chat);
    }

    /** For the methods that rate. */
    AnswerRater rater(Llama llama, PromptTemplate template, @Nullable ChatTemplate chat, GenerateOptions options, long seed) {
        return this == SCORE_TEXT
                ? AnswerRater.byText(new LlamaGenerator(llama, options, chat), template, seed)
                : AnswerRater.byLogProbability(llama, template, chat);
    }
}
