package dev.yangtuo.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.yangtuo.tokenizer.TestModels.PieceList;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The fast encoder equals the textbook's on random texts. A failure prints the seed of its case. */
class EncodersAgreeTest {
    private static final String[] ALPHABET = {"a", "b", "c", "▁", "中", "😀", " ", "é", "\0"};
    private static final String[] STRANGERS = {"x", "國", "🀄", "  ", "\uFFFD", "</s>", "<0x41>", "\n"};

    @Test
    void onSmallRandomVocabularies() {
        for (long seed = 0; seed < 300; seed++) {
            Random random = new Random(seed);
            List<String> pieces = new ArrayList<>();
            SentencePieceModel model = randomModel(random, pieces);
            Tokenizer tokenizer = Tokenizer.of(model);
            TextbookBpe textbook = new TextbookBpe(model);
            for (int i = 0; i < 20; i++) {
                assertSame(tokenizer, textbook, randomText(random, pieces, i % 5 == 0 ? 80 : 12), seed);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"base", "chinese-lora"})
    void onTheDemonstrationVocabularies(String name) {
        SentencePieceModel model = SentencePieceModel.read(Path.of("examples/demo-model", name, "tokenizer.model"));
        Tokenizer tokenizer = Tokenizer.of(model);
        TextbookBpe textbook = new TextbookBpe(model);
        List<String> pieces = new ArrayList<>();
        for (int id = 259; id < model.vocabulary().size(); id++) {
            pieces.add(model.vocabulary().piece(id));
        }
        for (long seed = 0; seed < 1500; seed++) {
            assertSame(tokenizer, textbook, randomText(new Random(seed), pieces, seed % 10 == 0 ? 100 : 15), seed);
        }
    }

    private static void assertSame(Tokenizer tokenizer, TextbookBpe textbook, String text, long seed) {
        int[] expected = textbook.encode(tokenizer.normalize(text)).stream().mapToInt(i -> i).toArray();
        int[] actual = tokenizer.encode(text);
        if (!Arrays.equals(actual, expected)) {
            assertThat(actual).as("seed %d, text '%s'", seed, text).containsExactly(expected);
        }
    }

    /** Few levels of score, so that ties are the rule; both zeros; user-defined and unused pieces in some. */
    private static SentencePieceModel randomModel(Random random, List<String> pieces) {
        PieceList list = new PieceList().specials();
        if (random.nextBoolean()) {
            list.bytes();
        }
        int letters = 2 + random.nextInt(ALPHABET.length - 2);
        int longest = 1 + random.nextInt(6);
        int levels = 1 + random.nextInt(5);
        int unusedPercent = random.nextInt(3) == 0 ? 30 : 0;
        int userDefinedPercent = random.nextInt(3) == 0 ? 20 : 0;
        Set<String> seen = new HashSet<>();
        for (int i = random.nextInt(60); i >= 0; i--) {
            StringBuilder piece = new StringBuilder();
            for (int j = random.nextInt(longest); j >= 0; j--) {
                piece.append(ALPHABET[random.nextInt(letters)]);
            }
            if (seen.add(piece.toString())) {
                int drawn = random.nextInt(100);
                PieceType type = drawn < unusedPercent ? PieceType.UNUSED
                        : drawn < unusedPercent + userDefinedPercent && piece.indexOf("\0") < 0 ? PieceType.USER_DEFINED
                        : PieceType.NORMAL;
                float level = random.nextInt(levels);
                list.add(piece.toString(), random.nextBoolean() ? -level : 0 - level, type);
                pieces.add(piece.toString());
            }
        }
        NormalizerSpec rules = new NormalizerSpec("identity", new byte[0], random.nextBoolean(), random.nextBoolean(),
                random.nextInt(4) > 0);
        return SentencePieceModel.bpe(TestModels.MADE, list.vocabulary(), rules, new SpecialTokens(1, 2, -1, true, false));
    }

    private static String randomText(Random random, List<String> pieces, int parts) {
        StringBuilder text = new StringBuilder();
        for (int i = random.nextInt(parts); i >= 0; i--) {
            int drawn = random.nextInt(20);
            text.append(drawn < 9 ? ALPHABET[random.nextInt(ALPHABET.length)]
                    : drawn < 17 ? pieces.get(random.nextInt(pieces.size()))
                    : drawn < 18 ? Character.toString(0x4E00 + random.nextInt(0x5200))
                    : STRANGERS[random.nextInt(STRANGERS.length)]);
        }
        return text.toString();
    }
}
