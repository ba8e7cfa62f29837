package dev.yangtuo.recipe;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class InstructionFormatTest {
    private static final InstructionFormat CHINESE = new InstructionFormat(PromptTemplate.of("t", "<{tasks}", Set.of("tasks")), RecipeLanguage.CHINESE);
    private static final InstructionFormat ENGLISH = new InstructionFormat(PromptTemplate.of("t", "<{tasks}", Set.of("tasks")), RecipeLanguage.ENGLISH);
    private static final List<Instruction> EXAMPLES = List.of(new Instruction("做一", "料", "答一\n二行"), new Instruction("做二", "", "答二"));

    @Test
    void aPromptHasTheExamplesAndTheBeginningOfTheNextTask() {
        assertThat(CHINESE.prompt(EXAMPLES)).isEqualTo("""
                <###
                1. 指令：做一
                1. 输入：料
                1. 输出：答一
                二行
                ###
                2. 指令：做二
                2. 输入：无
                2. 输出：答二
                ###
                3. 指令：""");
        assertThat(ENGLISH.prompt(List.of(new Instruction("Do", "", "Done")))).isEqualTo("<###\n1. Instruction: Do\n1. Input: None\n1. Output: "
                + "Done\n###\n2. Instruction:");
    }

    @Test
    void whatAPromptSaysIsReadAgain() {
        String prompt = CHINESE.prompt(EXAMPLES);
        String first = prompt.substring(prompt.indexOf("做一"), prompt.lastIndexOf("###"));
        assertThat(CHINESE.parse(first, true)).isEqualTo(new InstructionFormat.Parsed(EXAMPLES, 0, false));
    }

    @Test
    void modelsAreForgivenSmallThings() {
        String text = """
                 Name a fruit.
                Input: <noinput>
                4 .Output: Apple
                5. instruction: Name a tree.
                output:
                An oak

                ####
                6、指令: 说一种花
                6、输入：
                6、输出: 梅花
                """;
        assertThat(ENGLISH.parse(text, true).tasks()).containsExactly(
                new Instruction("Name a fruit.", "", "Apple"), new Instruction("Name a tree.", "", "An oak"), new Instruction("说一种花", "", "梅花"));
    }

    @Test
    void theLastTaskOfATextThatWasCutOffIsLeftOut() {
        String text = "一\n输入：无\n输出：一一\n###\n2. 指令：二\n2. 输入：无\n2. 输出：二";
        assertThat(CHINESE.parse(text, false)).isEqualTo(new InstructionFormat.Parsed(List.of(new Instruction("一", "", "一一")), 0, true));
        assertThat(CHINESE.parse("一", false)).isEqualTo(new InstructionFormat.Parsed(List.of(), 0, true));
    }

    @Test
    void aModelMayRepeatTheLabelThatThePromptEndsWith() {
        List<Instruction> expected = List.of(new Instruction("一", "", "二"));
        assertThat(CHINESE.parse("\n3. 指令：一\n3. 输出：二", true).tasks()).isEqualTo(expected);
        assertThat(CHINESE.parse("###\n指令：一\n输出：二", true).tasks()).isEqualTo(expected);
    }

    @Test
    void whatIsNoTaskIsCounted() {
        assertThat(CHINESE.parse("春江潮水连海平", true)).isEqualTo(new InstructionFormat.Parsed(List.of(), 1, false));
        assertThat(CHINESE.parse("一\n输出：二\n输入：三", true)).as("labels in another order").isEqualTo(new InstructionFormat.Parsed(List.of(), 1, false));
        assertThat(CHINESE.parse("一\n输出：二\n###\n好的，还有：\n指令：三\n输出：四\n###\n\n###\n", true)).as("talk before the first label")
                .isEqualTo(new InstructionFormat.Parsed(List.of(new Instruction("一", "", "二"), new Instruction("三", "", "四")), 1, false));
        assertThat(CHINESE.parse("", true)).isEqualTo(new InstructionFormat.Parsed(List.of(), 1, false));
    }
}
