package dev.yangtuo.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class PreTokenizerTest {
    /** Characters that some expression tells apart from others, and the neighbours of its ranges. */
    private static final String CHARACTERS = "aAeEsStTrRvVlLmMdDxXéßµ\u017F''''0123456789٣½Ⅷ०     \t\u000B\u0085\u00A0\u2003\u3000"
            + "\r\n\n中文龥\u9FA6\u07FF\u0800ࠀ一가힣\u3040ぁ゠ァ・ー\u3099ヿ\u3100ℂⴀႠԱա\u0301\u093E\u20DD\u200D\u0001\u007F\uE000\u0378"
            + "!\"#$%&()*+,-./:;<=>?@[\\]^_`{|}~！～、。‘’“–…€＋№ａＺ𝐀𐐀𐓐🦙🏽𠀀𞥃\uFFFD";

    static String randomText(Random random, int maxCharacters) {
        int[] characters = CHARACTERS.codePoints().toArray();
        StringBuilder text = new StringBuilder();
        for (int i = random.nextInt(maxCharacters + 1); i > 0; i--) {
            int character = characters[random.nextInt(characters.length)];
            int times = random.nextInt(4) == 0 ? 1 + random.nextInt(4) : 1;
            text.repeat(character, times);
        }
        return text.toString();
    }

    private static List<String> words(PreTokenizer preTokenizer, String text) {
        char[] chars = text.toCharArray();
        List<String> words = new ArrayList<>();
        for (int at = 0; at < chars.length; ) {
            int end = preTokenizer.wordEnd(chars, at, chars.length, true);
            words.add(text.substring(at, end));
            at = end;
        }
        return words;
    }

    @ParameterizedTest
    @EnumSource
    void wordsAreThoseOfTheModelsExpressions(PreTokenizerType type) {
        PreTokenizer preTokenizer = PreTokenizer.of(type);
        TextbookPreTokenizer textbook = new TextbookPreTokenizer(type);
        for (long seed = 0; seed < 20_000; seed++) {
            String text = randomText(new Random(seed), seed % 100 == 0 ? 200 : 12);
            List<String> expected = textbook.words(text);
            List<String> actual = words(preTokenizer, text);
            if (!actual.equals(expected)) {
                assertThat(actual).as("seed %d", seed).isEqualTo(expected);
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void wordsOfPartsOfATextAreThoseOfTheText(PreTokenizerType type) {
        PreTokenizer preTokenizer = PreTokenizer.of(type);
        int decidedEarly = 0;
        for (long seed = 0; seed < 20_000; seed++) {
            Random random = new Random(seed);
            String text = randomText(random, 12);
            char[] chars = text.toCharArray();
            List<String> actual = new ArrayList<>();
            int at = 0;
            while (at < chars.length) {
                int to = at + 1 + random.nextInt(chars.length - at);
                to += to < chars.length && Character.isLowSurrogate(chars[to]) ? 1 : 0;
                // The scanner must not look behind the part.
                char[] part = text.substring(0, to).toCharArray();
                int end = preTokenizer.wordEnd(part, at, to, false);
                if (end == PreTokenizer.UNDECIDED && to == chars.length) {
                    end = preTokenizer.wordEnd(part, at, to, true);
                } else if (end == PreTokenizer.UNDECIDED) {
                    continue;
                } else {
                    assertThat(end).as("seed %d", seed).isLessThanOrEqualTo(to);
                    decidedEarly++;
                }
                actual.add(text.substring(at, end));
                at = end;
            }
            List<String> expected = words(preTokenizer, text);
            if (!actual.equals(expected)) {
                assertThat(actual).as("seed %d", seed).isEqualTo(expected);
            }
        }
        assertThat(decidedEarly).isGreaterThan(50_000);
    }

    @ParameterizedTest
    @EnumSource
    void aMegabyteOfAnythingTakesLinearTime(PreTokenizerType type) {
        PreTokenizer preTokenizer = PreTokenizer.of(type);
        List<String> units = List.of("a", "é", "éa", "1", " ", "\n", "\n ", "\t\u3000", " \u2003", "'", "!", "中", "・ア", "🦙", "🦙 ", "\u0301",
                "\u0001", "\u3000é", "1 ", "'r", "\u200Da");
        for (String unit : units) {
            char[] text = unit.repeat((1 << 20) / unit.length()).toCharArray();
            assertTimeoutPreemptively(Duration.ofSeconds(60), () -> {
                int at = 0;
                while (at < text.length) {
                    at = preTokenizer.wordEnd(text, at, text.length, true);
                }
                assertThat(at).isEqualTo(text.length);
            }, () -> "a megabyte of '%s'".formatted(unit));
        }
    }

    @ParameterizedTest
    @CsvSource({
        "GPT_2, I'll go  to HELL's 1234 bells!!, I 'll ' go' ' ' ' to' ' HELL' 's ' 1234' ' bells' !!",
        "SMOLLM, x1234  5 y, x 1 2 3 4 '  ' 5 ' y'",
        "LLAMA_BPE, I'LL say 12345!, I 'LL ' say' ' ' 123 45 !",
        "QWEN2, abc 123, abc ' ' 1 2 3",
        "DEEPSEEK_LLM, café au 中文 12, caf é ' au' ' ' 中文 ' ' 1 2",
        "DEEPSEEK_CODER, x+=中文。, x += 中文 。",
        "DEEPSEEK_V3, (abc) 東京タワーへ 1234, (abc ) ' ' 東京タワーへ ' ' 123 4",
    })
    void examples(PreTokenizerType type, String text, String words) {
        List<String> expected = new ArrayList<>();
        Matcher matcher = Pattern.compile("'( [^']*)'|(\\S+)").matcher(words);
        while (matcher.find()) {
            expected.add(matcher.group(1) != null ? matcher.group(1) : matcher.group(2));
        }
        assertThat(words(PreTokenizer.of(type), text)).isEqualTo(expected);
    }

    @Test
    void theLongSOfAContractionCountsAsAnS() {
        assertThat(words(PreTokenizer.of(PreTokenizerType.LLAMA_BPE), "it'\u017F")).containsExactly("it", "'\u017F");
        assertThat(words(PreTokenizer.of(PreTokenizerType.GPT_2), "it'\u017F")).containsExactly("it", "'", "\u017F");
    }
}
