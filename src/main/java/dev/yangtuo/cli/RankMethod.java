package dev.yangtuo.cli;

import dev.yangtuo.Llama;
import dev.yangtuo.chat.ChatTemplate;
import dev.yangtuo.recipe.AnswerRater;
import dev.yangtuo.recipe.BestOfN;
import dev.yangtuo.recipe.PromptTemplate;
import dev.yangtuo.recipe.RecipeLanguage;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** What {@code rank} ranks by. */
enum RankMethod {
    /** The model's own mean log-probability. */
    LOGPROB,
    /** A judge's probability of yes. */
    YES,
    /** A judge's score of 1 to 10. */
    SCORE;

    static RankMethod of(String name) {
        for (RankMethod method : values()) {
            if (method.name().equalsIgnoreCase(name)) {
                return method;
            }
        }
        throw new IllegalArgumentException("'%s' is not a method to rank by; there are logprob, yes, score".formatted(name));
    }

    String label() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** Whether a judge is asked. */
    boolean asks() {
        return this != LOGPROB;
    }

    /** Of the methods that ask. */
    PromptTemplate template(RecipeLanguage language) {
        return this == YES ? AnswerRater.yesTemplate(language) : AnswerRater.scoreTemplate(language);
    }

    /**
     * What ranks.
     *
     * @param judge of the methods that ask
     */
    BestOfN.Scorer scorer(Llama judge, PromptTemplate template, @Nullable ChatTemplate chat, RecipeLanguage language) {
        return switch (this) {
            case LOGPROB -> BestOfN.Scorer.meanLogProbability();
            case YES -> BestOfN.Scorer.of(AnswerRater.byYes(judge, template, chat, language));
            case SCORE -> BestOfN.Scorer.of(AnswerRater.byLogProbability(judge, template, chat));
        };
    }
}
