package dev.yangtuo.tokenizer;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;

/** Byte-level models made by hand: the 256 bytes, what merges form, then other pieces. */
final class ByteLevelModels {
    private final List<String> pieces = new ArrayList<>();
    private final List<PieceType> types = new ArrayList<>();
    private final List<String> merges = new ArrayList<>();

    ByteLevelModels() {
        for (int value = 0; value < 256; value++) {
            add(String.valueOf(ByteAlphabet.charOf(value)), PieceType.NORMAL);
        }
    }

    ByteLevelModels add(String piece, PieceType type) {
        pieces.add(piece);
        types.add(type);
        return this;
    }

    ByteLevelModels remove(String piece) {
        types.remove(pieces.indexOf(piece));
        pieces.remove(piece);
        return this;
    }

    /** Adds merges and the pieces that they form, written as in vocabularies. */
    ByteLevelModels merge(String... lines) {
        for (String line : lines) {
            merges.add(line);
            String piece = line.replace(" ", "");
            if (!pieces.contains(piece)) {
                add(piece, PieceType.NORMAL);
            }
        }
        return this;
    }

    ByteLevelModel model(PreTokenizerType type) {
        Vocabulary vocabulary = vocabulary();
        return new ByteLevelModel(TestModels.MADE, vocabulary, Merges.parse(TestModels.MADE, vocabulary, merges), type,
                new SpecialTokens(-1, -1, -1, false, false));
    }

    Vocabulary vocabulary() {
        return Vocabulary.of(TestModels.MADE, pieces, new float[pieces.size()],
                types.stream().mapToInt(PieceType::number).toArray());
    }

    List<String> merges() {
        return merges;
    }

    /** {@return how vocabularies write a text} */
    static String spelled(String text) {
        StringBuilder piece = new StringBuilder();
        for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
            piece.append(ByteAlphabet.charOf(b & 0xFF));
        }
        return piece.toString();
    }

    /** Merges drawn at random over the bytes of a few characters, so that texts of these merge a lot; some form a piece in several ways. */
    static ByteLevelModels random(long seed, String characters, int count) {
        Random random = new Random(seed);
        ByteLevelModels made = new ByteLevelModels();
        Set<String> parts = new LinkedHashSet<>();
        for (char c : spelled(characters).toCharArray()) {
            parts.add(String.valueOf(c));
        }
        List<String> list = new ArrayList<>(parts);
        while (made.merges.size() < count) {
            String left = list.get(random.nextInt(list.size()));
            String right = list.get(random.nextInt(list.size()));
            if (left.length() + right.length() <= 12) {
                made.merge(left + " " + right);
                if (parts.add(left + right)) {
                    list.add(left + right);
                }
            }
        }
        return made;
    }
}
