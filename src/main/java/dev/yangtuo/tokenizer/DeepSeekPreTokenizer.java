package dev.yangtuo.tokenizer;

import static dev.yangtuo.tokenizer.CharacterClasses.IDEOGRAPH;
import static dev.yangtuo.tokenizer.CharacterClasses.LETTER;
import static dev.yangtuo.tokenizer.CharacterClasses.NEWLINE;
import static dev.yangtuo.tokenizer.CharacterClasses.NUMBER;
import static dev.yangtuo.tokenizer.CharacterClasses.PUNCTUATION;
import static dev.yangtuo.tokenizer.CharacterClasses.SPACE;

import java.util.Arrays;

/**
 * The words of DeepSeek LLM and DeepSeek Coder. Their expressions are a row of steps; each cuts the parts that the steps before left,
 * and what it matches as well as what lies between its matches is a part for the next one:
 * <ol>
 *   <li>{@code [\r\n]}</li>
 *   <li>{@code \s?L+}, L being letters</li>
 *   <li>{@code \s?P+}, P being punctuation; of DeepSeek LLM the ASCII letters, too, so that it cuts "café" before its last letter</li>
 *   <li>{@code \s+$} (DeepSeek LLM): the spaces that a part ends in, not only those that the text ends in</li>
 *   <li>{@code C+}, C being U+0800 to U+9FA5 and U+AC00 to U+D7FF</li>
 *   <li>{@code \p{N}}</li>
 * </ol>
 * A word ends where any step cuts. The steps look one character ahead, two where a space is also punctuation (U+3000), and past a run of
 * spaces; so one pass finds the cuts of all of them.
 */
final class DeepSeekPreTokenizer implements PreTokenizer {
    /** The letters that DeepSeek LLM's expression lists: those with case of an older Unicode, but for some scripts. */
    static final String LLM_LETTERS = """
            41-5A 61-7A B5 C0-D6 D8-F6 F8-1BA 1BC-1BF 1C4-293 295-2AF 370-373 376-377 37B-37D 37F 386 388-38A 38C 38E-3A1 3A3-3F5 \
            3F7-481 48A-52F 531-556 10A0-10C5 13A0-13F5 13F8-13FD 1C90-1CBA 1CBD-1CBF 1D00-1D2B 1D6B-1D77 1D79-1D9A 1E00-1F15 \
            1F18-1F1D 1F20-1F45 1F48-1F4D 1F50-1F57 1F59 1F5B 1F5D 1F5F-1F7D 1F80-1FB4 1FB6-1FBC 1FBE 1FC2-1FC4 1FC6-1FCC 1FD0-1FD3 \
            1FD6-1FDB 1FE0-1FEC 1FF2-1FF4 1FF6-1FFC 2102 2107 210A-2113 2115 2119-211D 2124 2126 2128 212A-212D 212F-2134 2139 \
            213C-213F 2145-2149 214E 2183-2184 2C00-2C7B 2C7E-2CE4 2CEB-2CEE 2CF2-2CF3 A640-A66D A680-A69B A722-A76F A771-A787 \
            A78B-A78E AB70-ABBF FB00-FB06 FB13-FB17 FF21-FF3A FF41-FF5A 10400-1044F 104B0-104D3 104D8-104FB 10C80-10CB2 10CC0-10CF2 \
            118A0-118DF 1E900-1E943""";

    private static final String LLM_PUNCTUATION = "21-2F 3A-7E 2018-201F 3000-3002 FF01-FF0F FF1A-FF5E";

    private final CharacterClasses classes;
    private final boolean cutsSpacesAtEnds;

    private DeepSeekPreTokenizer(CharacterClasses classes, boolean cutsSpacesAtEnds) {
        this.classes = classes;
        this.cutsSpacesAtEnds = cutsSpacesAtEnds;
    }

    static DeepSeekPreTokenizer llm() {
        int[] letters = ranges(LLM_LETTERS);
        int[] punctuation = ranges(LLM_PUNCTUATION);
        return new DeepSeekPreTokenizer(new CharacterClasses(codePoint -> CharacterClasses.category(codePoint) & (NUMBER | SPACE | NEWLINE)
                | (contains(letters, codePoint) ? LETTER : 0) | (contains(punctuation, codePoint) ? PUNCTUATION : 0)
                | ideograph(codePoint)), true);
    }

    static DeepSeekPreTokenizer coder() {
        return new DeepSeekPreTokenizer(
                new CharacterClasses(codePoint -> CharacterClasses.category(codePoint) | ideograph(codePoint)), false);
    }

    private static int ideograph(int codePoint) {
        return codePoint >= 0x800 && codePoint <= 0x9FA5 || codePoint >= 0xAC00 && codePoint <= 0xD7FF ? IDEOGRAPH : 0;
    }

    /** {@return first and last code point of each range in ascending order, int32, [ranges][2]} */
    private static int[] ranges(String text) {
        String[] ranges = text.split(" ");
        int[] bounds = new int[2 * ranges.length];
        for (int i = 0; i < ranges.length; i++) {
            String[] firstAndLast = ranges[i].split("-");
            bounds[2 * i] = Integer.parseInt(firstAndLast[0], 16);
            bounds[2 * i + 1] = Integer.parseInt(firstAndLast[firstAndLast.length - 1], 16);
        }
        return bounds;
    }

    private static boolean contains(int[] ranges, int codePoint) {
        int found = Arrays.binarySearch(ranges, codePoint);
        // Not a bound itself, it is in a range if the next bound is the end of one.
        return found >= 0 || (~found & 1) != 0;
    }

    @Override
    public int wordEnd(char[] text, int from, int to, boolean last) {
        Step step = new Step(text, to, last);
        return step.wordEnd(from);
    }

    /** One call: the text at hand, and whether an answer depended on what is behind it. */
    private final class Step {
        private final char[] text;
        private final int to;
        private final boolean last;
        private boolean undecided;

        Step(char[] text, int to, boolean last) {
            this.text = text;
            this.to = to;
            this.last = last;
        }

        int wordEnd(int from) {
            int previous = classes.of(text, from);
            int at = CharacterClasses.after(text, from);
            if ((previous & NEWLINE) != 0) {
                return at;
            }
            boolean letters = beginsLetters(from);
            boolean punctuation = beginsPunctuation(from, letters);
            while (at < to && !undecided) {
                int flags = classes.of(text, at);
                boolean cut = (letters ? (flags & LETTER) == 0 : (flags & NEWLINE) != 0 || beginsLetters(at))
                        || (punctuation ? (flags & PUNCTUATION) == 0 : beginsPunctuation(at, letters))
                        || ((flags ^ previous) & IDEOGRAPH) != 0
                        || ((flags | previous) & NUMBER) != 0
                        || cutsSpacesAtEnds && (flags & SPACE) != 0 && (previous & SPACE) == 0 && partEndsAfterSpaces(at, punctuation);
                if (cut) {
                    return undecided ? UNDECIDED : at;
                }
                previous = flags;
                at = CharacterClasses.after(text, at);
            }
            return undecided || at == to && !last ? UNDECIDED : at;
        }

        /** Whether {@code \s?L+} matches here. */
        private boolean beginsLetters(int at) {
            int flags = classes.of(text, at);
            return (flags & LETTER) != 0 || (flags & SPACE) != 0 && (flagsAt(at + 1) & LETTER) != 0;
        }

        /** Whether {@code \s?P+} matches here, within a part that {@code \s?L+} matched or one that it did not. */
        private boolean beginsPunctuation(int at, boolean letters) {
            int flags = classes.of(text, at);
            if ((flags & PUNCTUATION) != 0) {
                return true;
            }
            if ((flags & SPACE) == 0) {
                return false;
            }
            int next = flagsAt(at + 1);
            // A space that is punctuation and stands before a letter belongs to the next part.
            return (next & PUNCTUATION) != 0 && (letters || (next & SPACE) == 0 || !beginsLetters(at + 1));
        }

        /** Whether the part ends within the run of spaces that begins here, or right after it. */
        private boolean partEndsAfterSpaces(int from, boolean punctuation) {
            for (int at = from; at < to; at++) {
                int flags = classes.of(text, at);
                if ((flags & NEWLINE) != 0 || beginsLetters(at)
                        || (punctuation ? (flags & PUNCTUATION) == 0 : beginsPunctuation(at, false))) {
                    return true;
                }
                if ((flags & SPACE) == 0) {
                    return false;
                }
            }
            undecided |= !last;
            return true;
        }

        private int flagsAt(int at) {
            if (at < to) {
                return classes.of(text, at);
            }
            undecided |= !last;
            return 0;
        }
    }
}
