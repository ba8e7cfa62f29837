package dev.yangtuo.eval;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Prompts, character for character. */
class CevalPromptTest {
    private static final CevalSubject SUBJECT = new CevalSubject("art_studies", "艺术学", CevalCategory.HUMANITIES, Path.of("x"),
            List.of(new CevalQuestion(2, "0", "问一？", List.of("甲", "乙", "丙", "丁"), "B")),
            List.of(new CevalQuestion(2, "0", "例一？", List.of("1", "2", "3", "4"), "C"), new CevalQuestion(3, "1", "例二？", List.of("5", "6", "7", "8"), "A")));

    private static String prompt(PromptStyle style, boolean cevalHeader, int examples) {
        return new CevalPrompt(style, cevalHeader).of(SUBJECT, SUBJECT.questions().getFirst(), examples);
    }

    @Test
    void plainWithoutExamplesIsTheQuestion() {
        assertThat(prompt(PromptStyle.PLAIN, false, 0)).isEqualTo("问一？\nA. 甲\nB. 乙\nC. 丙\nD. 丁\n答案：");
    }

    @Test
    void plainWithExamplesHasAHeaderWithTheId() {
        assertThat(prompt(PromptStyle.PLAIN, false, 2)).isEqualTo("以下是中国关于art_studies考试的单项选择题，请选出其中的正确答案。\n\n"
                + "例一？\nA. 1\nB. 2\nC. 3\nD. 4\n答案：C\n\n例二？\nA. 5\nB. 6\nC. 7\nD. 8\n答案：A\n\n问一？\nA. 甲\nB. 乙\nC. 丙\nD. 丁\n答案：");
    }

    @Test
    void cevalsHeaderHasTheChineseNameAlways() {
        assertThat(prompt(PromptStyle.PLAIN, true, 0)).isEqualTo("以下是中国关于艺术学考试的单项选择题，请选出其中的正确答案。\n\n问一？\nA. 甲\nB. 乙\nC. 丙\nD. 丁\n答案：");
    }

    @Test
    void alpacaAsksWithItsTemplate() {
        assertThat(prompt(PromptStyle.ALPACA, false, 1)).isEqualTo("Below is an instruction that describes a task. Write a response that appropriately completes the request.\n\n"
                + "### Instruction:\n以下是中国关于art_studies考试的单项选择题，请选出其中的正确答案。\n\n例一？\nA. 1\nB. 2\nC. 3\nD. 4\n答案：C\n\n"
                + "问一？\nA. 甲\nB. 乙\nC. 丙\nD. 丁\n答案是什么？ \n\n### Response: ");
    }

    @Test
    void alpaca2HasExamplesAsTurns() {
        String system = "[INST] <<SYS>>\nYou are a helpful assistant. 你是一个乐于助人的助手。\n<</SYS>>\n\n";
        assertThat(prompt(PromptStyle.ALPACA_2, false, 1)).isEqualTo(system + "以下是中国关于art_studies考试的单项选择题，请选出其中的正确答案。\n\n [/INST]好的，我会结合art_studies相关知识回答"
                + "[INST] 例一？\nA. 1\nB. 2\nC. 3\nD. 4\n答案：[/INST]C\n" + system + "问一？\nA. 甲\nB. 乙\nC. 丙\nD. 丁\n答案： [/INST]");
        assertThat(prompt(PromptStyle.ALPACA_2, false, 0)).isEqualTo(system + "问一？\nA. 甲\nB. 乙\nC. 丙\nD. 丁\n答案： [/INST]");
    }
}
