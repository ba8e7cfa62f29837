package dev.yangtuo.eval;

import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Finds the letter that a generated text answers with, by the expressions of Chinese-LLaMA-Alpaca's {@code scripts/ceval/llama_evaluator.py}, in its order: the last
 * conclusion "so the answer is X"; a phrase that names a letter; the first letter at all; the first text of a choice.
 */
final class AnswerExtraction {
    // In Python a dot stops at line feeds alone.
    private static final Pattern CONCLUSION = Pattern.compile("所以答案是(.+?)。", Pattern.UNIX_LINES);

    private static final List<Pattern> PHRASES = Stream.of(
                    "([ABCD])是正确的", "选项([ABCD])正确", "答案为([ABCD])", "答案是([ABCD])", "答案([ABCD])", "选择([ABCD])", "答案：([ABCD])", "选择答案([ABCD])")
            .map(Pattern::compile)
            .toList();

    private static final Pattern LETTER = Pattern.compile("([ABCD])");

    private AnswerExtraction() {}

    /** The letter, or empty if the text names none. */
    static Optional<String> letter(String text, List<String> choices) {
        return Stream.<Function<String, Optional<String>>>of(
                        AnswerExtraction::conclusion, AnswerExtraction::phrase, generated -> first(LETTER, generated), generated -> choice(generated, choices))
                .flatMap(way -> way.apply(text).stream())
                .findFirst();
    }

    private static Optional<String> conclusion(String text) {
        return CONCLUSION.matcher(text).results().map(match -> match.group(1)).reduce((earlier, later) -> later).filter(CevalQuestion.LETTERS::contains);
    }

    private static Optional<String> phrase(String text) {
        return PHRASES.stream().flatMap(pattern -> first(pattern, text).stream()).findFirst();
    }

    private static Optional<String> first(Pattern pattern, String text) {
        Matcher matcher = pattern.matcher(text);
        return matcher.find() ? Optional.of(matcher.group(1)) : Optional.empty();
    }

    /** Of choices that begin at the same place the first counts, of equal ones the last letter, as in Python's dictionary. An empty choice is nowhere. */
    private static Optional<String> choice(String text, List<String> choices) {
        String any = choices.stream().filter(choice -> !choice.isEmpty()).map(Pattern::quote).reduce((left, right) -> left + "|" + right).orElse("");
        if (any.isEmpty()) {
            return Optional.empty();
        }
        return Pattern.compile(any).matcher(text).results().map(MatchResult::group).findFirst().map(found -> CevalQuestion.LETTERS.get(choices.lastIndexOf(found)));
    }
}
