package dev.yangtuo.benchmarks.grammar;

import dev.yangtuo.tokenizer.NormalizerSpec;
import dev.yangtuo.tokenizer.PieceType;
import dev.yangtuo.tokenizer.SentencePieceModel;
import dev.yangtuo.tokenizer.SpecialTokens;
import dev.yangtuo.tokenizer.Tokenizer;
import dev.yangtuo.tokenizer.Vocabulary;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/**
 * A vocabulary of the size and the make of those of the LLaMA family, and no one's: control pieces, bytes, characters of ASCII, syllables with and without a space
 * before them, and, of those beyond 32,000, Chinese words.
 */
final class MadeVocabulary {
    private static final long SEED = 20_261_128;
    private static final int ENGLISH = 32_000;
    private static final int CONTROLS = 3;
    private static final int BYTES = 256;
    private static final int FIRST_IDEOGRAPH = 0x4E00;
    private static final int IDEOGRAPHS = 6_000;
    private static final String[] SYLLABLES = ("a e i o u ba be bi co con de der di er est ex fa for ge ing in is it ja ka la le ly "
            + "ma me ment mo na ne ness no of on or ou pa per pro qu ra re ri ro sa se si so st ta te ter the ti tion to ul un va ve wa we wo y za").split(" ");

    private MadeVocabulary() {}

    static Tokenizer of(int size) {
        SplittableRandom random = new SplittableRandom(SEED);
        Set<String> pieces = new LinkedHashSet<>(List.of("<unk>", "<s>", "</s>"));
        IntStream.range(0, BYTES).mapToObj("<0x%02X>"::formatted).forEach(pieces::add);
        IntStream.range('!', 0x7F).mapToObj(Character::toString).forEach(pieces::add);
        for (String spaces = "\u2581"; spaces.length() <= 16; spaces += "\u2581") {
            pieces.add(spaces);
        }
        pieces.addAll(List.of("\":", "\",", "\"}", "{\"", "[\"", "\"]", "},", "],", "\":\"", "\u2581{", "\u2581\"", "\u2581[", "00", "10", "20",
                "true", "false", "null", "----", "\n"));
        while (pieces.size() < size) {
            pieces.add(pieces.size() < ENGLISH ? word(random) : ideographs(random));
        }
        List<String> all = new ArrayList<>(pieces);
        int[] types = IntStream.range(0, size).map(id -> type(id).number()).toArray();
        Path source = Path.of("made-%d.model".formatted(size));
        Vocabulary vocabulary = Vocabulary.of(source, all, new float[size], types);
        return Tokenizer.of(SentencePieceModel.bpe(source, vocabulary, NormalizerSpec.identity(true), new SpecialTokens(1, 2, -1, true, false)));
    }

    private static PieceType type(int id) {
        if (id == 0) {
            return PieceType.UNKNOWN;
        }
        return id < CONTROLS ? PieceType.CONTROL : id < CONTROLS + BYTES ? PieceType.BYTE : PieceType.NORMAL;
    }

    private static String word(SplittableRandom random) {
        StringBuilder word = new StringBuilder(random.nextBoolean() ? "\u2581" : "");
        int start = word.length();
        for (int syllables = random.nextInt(1, 4); syllables > 0; syllables--) {
            word.append(SYLLABLES[random.nextInt(SYLLABLES.length)]);
        }
        if (random.nextInt(4) == 0) {
            word.setCharAt(start, Character.toUpperCase(word.charAt(start)));
        }
        return word.toString();
    }

    private static String ideographs(SplittableRandom random) {
        StringBuilder word = new StringBuilder();
        for (int characters = random.nextInt(1, 4); characters > 0; characters--) {
            word.append((char) (FIRST_IDEOGRAPH + random.nextInt(IDEOGRAPHS)));
        }
        return word.toString();
    }
}
