package dev.yangtuo.recipe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class InstructionFilterTest {
    private static @Nullable Rejection check(RecipeLanguage language, String instruction, String input, String output) {
        return InstructionFilter.of(language).check(new Instruction(instruction, input, output));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', nullValues = "-", value = {
        "列出三种常见的水果。 | '' | 苹果、梨、桃 | -",
        "《静夜思》的作者是谁？ | '' | 李白 | -",
        "“画蛇添足”是什么意思？ | '' | 做多余的事 | -",
        "把下面的句子翻译成英文。 | 今天天气很好。 | The weather is very nice today. | LANGUAGE",
        "'' | '' | 苹果 | EMPTY",
        "列出三种常见的水果。 | '' | '' | EMPTY",
        "唱首歌 | '' | 好的 | TOO_SHORT",
        "描述这张图片里的人物。 | '' | 一位老人 | KEYWORD",
        "，列出三种常见的水果。 | '' | 苹果 | PUNCTUATION",
        "- 列出三种常见的水果。 | '' | 苹果 | PUNCTUATION",
        "Name three fruits that grow here. | '' | apple, pear | LANGUAGE",
        "1 2 3 4 5 | '' | 12 | LANGUAGE",
        "列出三种常见的水果。 | '' | ' 列出三种常见的水果。' | COPY",
        "重复下面的一句话吧。 | 床前明月光 | 床前明月光 | COPY"
    })
    void chineseTasksAreFiltered(String instruction, String input, String output, @Nullable Rejection expected) {
        assertThat(check(RecipeLanguage.CHINESE, instruction, input, output)).isEqualTo(expected);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', nullValues = "-", value = {
        "Name three common fruits. | '' | Apple, pear, peach | -",
        "Profile the mapping of names. | '' | A list | -",
        "Draw a circle with a pen. | '' | O | KEYWORD",
        "Open the FILES and read them. | '' | Done | KEYWORD",
        "\"To be or not to be\": who says so? | '' | Hamlet | -",
        "Name three fruits. | '' | Apple, pear | TOO_SHORT",
        "Translate this word for me please. | '' | 苹果苹果苹果苹果苹果 | LANGUAGE"
    })
    void englishTasksAreFiltered(String instruction, String input, String output, @Nullable Rejection expected) {
        assertThat(check(RecipeLanguage.ENGLISH, instruction, input, output)).isEqualTo(expected);
    }

    @Test
    void lengthsHaveLimits() {
        assertThat(check(RecipeLanguage.CHINESE, "字".repeat(150), "", "好")).isNull();
        assertThat(check(RecipeLanguage.CHINESE, "字".repeat(151), "", "好")).isEqualTo(Rejection.TOO_LONG);
        assertThat(check(RecipeLanguage.CHINESE, "写一首诗", "字".repeat(1001), "好")).isEqualTo(Rejection.TOO_LONG);
        assertThat(check(RecipeLanguage.CHINESE, "写一首诗", "", "字".repeat(1001))).isEqualTo(Rejection.TOO_LONG);
    }

    @Test
    void limitsCanBeOthers() {
        InstructionFilter filter = InstructionFilter.of(RecipeLanguage.CHINESE).length(2, 5).languageShare(0).keyword("天气").keyword("Rain");
        assertThat(filter.check(new Instruction("唱歌", "", "la la"))).isNull();
        assertThat(filter.check(new Instruction("唱一二三四五", "", "好"))).isEqualTo(Rejection.TOO_LONG);
        assertThat(filter.check(new Instruction("天气怎样", "", "好"))).isEqualTo(Rejection.KEYWORD);
        assertThat(filter.check(new Instruction("说 rain 吧", "", "好"))).isEqualTo(Rejection.KEYWORD);
        assertThat(filter.check(new Instruction("说 train 吧", "", "好"))).isNull();
        assertThat(filter.check(new Instruction("看图片吧", "", "好"))).as("the usual keywords stay").isEqualTo(Rejection.KEYWORD);
        assertThatThrownBy(() -> filter.length(0, 5)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> filter.length(6, 5)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> filter.languageShare(Double.NaN)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> filter.keyword(" ")).isInstanceOf(IllegalArgumentException.class);
    }
}
