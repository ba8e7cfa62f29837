package dev.yangtuo.recipe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.yangtuo.exception.YangtuoException;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class PromptTemplateTest {
    @Test
    void whatIsPutIntoAPlaceIsNotLookedAtAgain() {
        PromptTemplate template = PromptTemplate.of("t", "{a}-{b}-{a} {c} {}", Set.of("a", "b"));
        assertThat(template.render(Map.of("a", "{b}", "b", "$1\\{a}"))).isEqualTo("{b}-$1\\{a}-{b} {c} {}");
    }

    @Test
    void aMissingPlaceIsNamed() {
        assertThatThrownBy(() -> PromptTemplate.of("mine.txt", "{question} {answer}", PairJudge.PLACES))
                .isInstanceOf(YangtuoException.class).hasMessageContaining("mine.txt").hasMessageContaining("{answer_a}").hasMessageContaining("{answer_b}");
    }

    @ParameterizedTest
    @EnumSource
    void thePackagesOwnTemplatesAreThere(RecipeLanguage language) {
        Map<String, String> pair = Map.of("question", "QQ", "answer_a", "AA", "answer_b", "BB");
        for (PromptTemplate template : new PromptTemplate[] {PairJudge.verdictTemplate(language), PairJudge.reasonsTemplate(language)}) {
            assertThat(template.render(pair)).containsSubsequence("[[A]]", "[[B]]", "[[C]]", "QQ", "AA", "BB");
        }
        Map<String, String> one = Map.of("question", "QQ", "answer", "AA");
        for (PromptTemplate template : new PromptTemplate[] {AnswerRater.scoreTemplate(language), AnswerRater.reasonsTemplate(language)}) {
            assertThat(template.render(one)).containsSubsequence("[[5]]", "QQ", "AA");
        }
        assertThat(AnswerRater.yesTemplate(language).render(one)).containsSubsequence("QQ", "AA");
        assertThat(SelfInstructOptions.templateOf(language).render(Map.of("tasks", "TT"))).endsWith("\n\nTT");
    }

    @Test
    void languagesHaveCodes() {
        assertThat(RecipeLanguage.of("ZH")).isEqualTo(RecipeLanguage.CHINESE);
        assertThatThrownBy(() -> RecipeLanguage.of("fr")).hasMessageContaining("zh, en");
    }
}
