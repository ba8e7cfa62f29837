package dev.yangtuo.tokenizer;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * Texts that find differences between tokenizers: scripts mixed within a word, every kind of space, emoji with joiners, control characters, characters
 * that normalization changes, pieces and almost pieces, long runs. All of them are valid UTF-16.
 */
final class RandomTexts {
    private static final String[] FRAGMENTS = {
        " ", "  ", "   ", "\t", "\n", "\r\n", "\u00A0", "\u3000", "\u2003", "\u200B", "\u200D", "\uFEFF", "\u2028", "\u0085", "\u2581", "\u2581\u2581", " \u2581 ",
        "\0", "\u0001", "\u001F", "\u007F", "\u009F", "\uFFFD", "\uFFFE", "\uFFFF", "\uE000", "\u00AD",
        "ﬃ", "㎡", "Ⅳ", "①", "Ａ", "ｱﾞ", "㍿", "ﷺ", "½", "Å", "A\u030A", "e\u0301", "\u0301", "각", "\u1100\u1161\u11A8", "ẛ̣", "İ", "ß", "ς", "ǅ",
        "😀", "👨\u200D👩\u200D👧", "👍🏽", "🇨🇳", "\u2764\uFE0F", "𠀀", "𝔘", "🀄", "\uDBFF\uDFFF",
        "</s>", "<s>", "<unk>", "<0x41>", "<0x0A>", "[PAD]", "<x>", "<x y>", "<x", "x>", "foo", "fo", "你好", "你", "  z", "▁z",
        "http://a.b/c?d=e&f", "3.14159", "1,000", "a_b", "camelCase", "--", "...", "……", "“", "”", "「", "，", "。", "！", "é", "ü", "Ж", "ا", "ह", "ก", "あ", "カ", "한"
    };

    private final List<String> pieces = new ArrayList<>();

    /** @param vocabulary whose pieces the texts are made of, among other things */
    RandomTexts(Vocabulary vocabulary) {
        for (int id = 0; id < vocabulary.size(); id++) {
            if (!vocabulary.type(id).isReserved()) {
                pieces.add(vocabulary.piece(id));
            }
        }
    }

    String next(Random random) {
        int parts = random.nextInt(10) == 0 ? random.nextInt(60) : random.nextInt(10);
        StringBuilder text = new StringBuilder();
        for (int i = 0; i <= parts; i++) {
            append(random, text);
        }
        return wellFormed(text);
    }

    private void append(Random random, StringBuilder text) {
        switch (random.nextInt(16)) {
            case 0, 1, 2 -> text.append(FRAGMENTS[random.nextInt(FRAGMENTS.length)]);
            case 3, 4, 5 -> text.append(piece(random).replace('\u2581', ' '));
            case 6 -> text.append(piece(random));
            case 7 -> {
                String piece = piece(random);
                text.append(piece, 0, random.nextInt(piece.length() + 1));
            }
            case 8 -> {
                StringBuilder piece = new StringBuilder(piece(random));
                piece.setCharAt(random.nextInt(piece.length()), piece(random).charAt(0));
                text.append(piece);
            }
            case 9 -> text.append(' ').append(word(random));
            case 10 -> text.append(word(random));
            case 11, 12 -> {
                for (int i = random.nextInt(6); i >= 0; i--) {
                    text.appendCodePoint(0x4E00 + random.nextInt(random.nextBoolean() ? 0x200 : 0x5200));
                }
            }
            case 13 -> text.append(random.nextInt(100_000));
            case 14 -> {
                String unit = random.nextBoolean() ? piece(random) : FRAGMENTS[random.nextInt(FRAGMENTS.length)];
                text.append(unit.repeat(1 + random.nextInt(random.nextInt(20) == 0 ? 200 : 8)));
            }
            default -> {
                int codePoint = random.nextInt(random.nextBoolean() ? 0x3000 : Character.MAX_CODE_POINT + 1);
                text.appendCodePoint(codePoint);
            }
        }
    }

    private String piece(Random random) {
        return pieces.get(random.nextInt(pieces.size()));
    }

    private static String word(Random random) {
        StringBuilder word = new StringBuilder();
        for (int i = random.nextInt(9); i >= 0; i--) {
            word.append((char) ("aeiorstnlhdAB'".charAt(random.nextInt(14))));
        }
        return word.toString();
    }

    private static String wellFormed(StringBuilder text) {
        for (int i = 0; i < text.length(); i++) {
            if (Character.isHighSurrogate(text.charAt(i)) && i + 1 < text.length() && Character.isLowSurrogate(text.charAt(i + 1))) {
                i++;
            } else if (Character.isSurrogate(text.charAt(i))) {
                text.setCharAt(i, '?');
            }
        }
        return text.toString();
    }
}
