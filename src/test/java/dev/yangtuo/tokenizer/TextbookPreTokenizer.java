package dev.yangtuo.tokenizer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * The models' own expressions, applied one after the other: what one matches and what lies between are the parts that the next one cuts.
 * For short texts.
 */
final class TextbookPreTokenizer {
    private static final String SPACE = "\\t-\\r\\x{85}\\p{Z}";
    private static final String CONTRACTIONS = "'s|'t|'re|'ve|'m|'ll|'d";
    private static final String CJK = "[一-龥ࠀ-一가-\\x{D7FF}]+";
    private static final String GPT_2 =
            CONTRACTIONS + "| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

    private final List<Pattern> steps;

    TextbookPreTokenizer(PreTokenizerType type) {
        List<String> expressions = switch (type) {
            case GPT_2 -> List.of(GPT_2);
            case SMOLLM -> List.of("\\p{N}", GPT_2);
            case LLAMA_BPE, CHATGLM_BPE -> List.of(llama("\\p{L}", "\\p{N}{1,3}", "\\p{L}\\p{N}"));
            case QWEN2 -> List.of(llama("\\p{L}", "\\p{N}", "\\p{L}\\p{N}"));
            case QWEN35 -> List.of(llama("[\\p{L}\\p{M}]", "\\p{N}", "\\p{L}\\p{M}\\p{N}"));
            case DEEPSEEK_LLM -> List.of("[\\r\\n]", "\\s?[" + ranges(DeepSeekPreTokenizer.LLM_LETTERS) + "]+",
                    "\\s?[!-/:-~！-／：-～‘-‟　-。]+", "\\s+$", CJK, "\\p{N}");
            case DEEPSEEK_CODER -> List.of("[\\r\\n]", "\\s?\\p{L}+", "\\s?\\p{P}+", CJK, "\\p{N}");
            case DEEPSEEK_V3 -> List.of("\\p{N}{1,3}", "[一-龥\\x{3040}-ゟ゠-ヿ]+",
                    "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+"
                            + "| ?[\\p{P}\\p{S}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+");
        };
        // Java's \s is ASCII unless its other classes change, too.
        steps = expressions.stream().map(expression -> Pattern.compile(expression.replace("[^\\s", "[^" + SPACE)
                .replace("\\s", "[" + SPACE + "]").replace("\\S", "[^" + SPACE + "]").replace("$", "\\z").replace("#\\z", "#$"))).toList();
    }

    private static String llama(String letter, String digits, String noSign) {
        return "(?iu:" + CONTRACTIONS + ")|[^\\r\\n\\p{L}\\p{N}]?" + letter + "+|" + digits + "| ?[^\\s" + noSign + "]+[\\r\\n]*"
                + "|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
    }

    private static String ranges(String hexadecimal) {
        return Arrays.stream(hexadecimal.split(" "))
                .map(range -> Arrays.stream(range.split("-")).map(bound -> "\\x{" + bound + "}").collect(Collectors.joining("-")))
                .collect(Collectors.joining());
    }

    List<String> words(String text) {
        List<String> parts = List.of(text);
        for (Pattern step : steps) {
            List<String> next = new ArrayList<>();
            for (String part : parts) {
                Matcher matcher = step.matcher(part);
                int end = 0;
                while (matcher.find()) {
                    next.add(part.substring(end, matcher.start()));
                    next.add(matcher.group());
                    end = matcher.end();
                }
                next.add(part.substring(end));
            }
            parts = next.stream().filter(part -> !part.isEmpty()).toList();
        }
        return parts;
    }
}
