package dev.yangtuo.eval;

import java.util.List;

/**
 * The prompt of a question, character for character that of C-Eval's evaluation scripts as Chinese-LLaMA-Alpaca ({@code scripts/ceval}) has them.
 *
 * @param style what stands around it
 * @param cevalHeader as {@link CevalOptions#cevalHeader(boolean)}
 */
record CevalPrompt(PromptStyle style, boolean cevalHeader) {
    /** Where the answer's letter follows. */
    private static final String ANSWER = "\n答案：";
    /** The same for Chinese-Alpaca, whose answer follows its template. */
    private static final String ALPACA_ANSWER = "\n答案是什么？ ";

    /** @param examples how many of the subject's go before the question */
    String of(CevalSubject subject, CevalQuestion question, int examples) {
        List<CevalQuestion> solved = subject.examples().subList(0, examples);
        boolean headed = cevalHeader || examples > 0;
        String header = headed ? "以下是中国关于%s考试的单项选择题，请选出其中的正确答案。\n\n".formatted(cevalHeader ? subject.name() : subject.id()) : "";
        return switch (style) {
            case PLAIN -> header + solved(solved) + task(question) + ANSWER;
            case ALPACA -> style.apply(header + solved(solved) + task(question) + ALPACA_ANSWER);
            case ALPACA_2 -> examples == 0
                    ? style.apply(header + task(question) + ANSWER)
                    : style.apply(header) + "好的，我会结合%s相关知识回答".formatted(cevalHeader ? subject.name() : subject.id())
                            + turns(solved) + style.apply(task(question) + ANSWER);
        };
    }

    private static String task(CevalQuestion question) {
        StringBuilder task = new StringBuilder(question.text());
        for (int i = 0; i < CevalQuestion.LETTERS.size(); i++) {
            task.append('\n').append(CevalQuestion.LETTERS.get(i)).append(". ").append(question.choices().get(i));
        }
        return task.toString();
    }

    private static String solved(List<CevalQuestion> examples) {
        StringBuilder text = new StringBuilder();
        examples.forEach(example -> text.append(task(example)).append(ANSWER).append(example.answer()).append("\n\n"));
        return text.toString();
    }

    /** Examples as turns of a conversation. */
    private static String turns(List<CevalQuestion> examples) {
        StringBuilder text = new StringBuilder();
        examples.forEach(example -> text.append("[INST] ").append(task(example)).append(ANSWER).append("[/INST]").append(example.answer()).append('\n'));
        return text.toString();
    }
}
