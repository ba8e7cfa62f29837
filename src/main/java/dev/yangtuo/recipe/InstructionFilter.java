package dev.yangtuo.recipe;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Which generated tasks are worth keeping, by the rules of Self-Instruct (Wang and others, arXiv 2212.10560) as Stanford Alpaca applies them, with
 * Chinese counted in characters: an instruction of a sensible length, nothing that only a picture or a file could answer, no leading punctuation,
 * in the right language, with an output of its own. Immutable: each method returns a changed copy.
 */
public final class InstructionFilter {
    /** What a text cannot show, hear or open. */
    private static final List<String> CHINESE_KEYWORDS = List.of(
            "图片", "图像", "照片", "图表", "下图", "上图", "画一", "绘制", "流程图", "视频", "音频", "录音", "音乐", "文件", "附件", "链接", "网址", "地图");
    private static final List<String> ENGLISH_KEYWORDS = List.of("image", "images", "picture", "pictures", "photo", "photos", "graph", "graphs", "chart", "plot", "draw",
            "diagram", "flowchart", "video", "videos", "audio", "music", "file", "files", "attachment", "link", "map", "maps", "go to");

    private final RecipeLanguage language;
    private final int fewest;
    private final int most;
    private final int mostOutput;
    private final double share;
    private final List<Pattern> keywords;

    private InstructionFilter(RecipeLanguage language, int fewest, int most, int mostOutput, double share, List<Pattern> keywords) {
        this.language = language;
        this.fewest = fewest;
        this.most = most;
        this.mostOutput = mostOutput;
        this.share = share;
        this.keywords = List.copyOf(keywords);
    }

    /**
     * Instructions of 4 to 150 characters or words, inputs and outputs of at most 1,000, half of the letters Chinese, or nine tenths English, the
     * usual keywords.
     */
    public static InstructionFilter of(RecipeLanguage language) {
        boolean chinese = language == RecipeLanguage.CHINESE;
        List<String> keywords = chinese ? CHINESE_KEYWORDS : ENGLISH_KEYWORDS;
        return new InstructionFilter(language, 4, 150, 1000, chinese ? 0.5 : 0.9, keywords.stream().map(InstructionFilter::pattern).toList());
    }

    /** Latin words as whole words; Chinese ones anywhere. */
    private static Pattern pattern(String keyword) {
        boolean word = keyword.chars().allMatch(c -> c < 0x250);
        return Pattern.compile(word ? "\\b" + Pattern.quote(keyword) + "\\b" : Pattern.quote(keyword), Pattern.CASE_INSENSITIVE | Pattern.UNICODE_CASE);
    }

    /** Characters, or words of languages that have them, of an instruction; 1 to {@code most}. */
    public InstructionFilter length(int newFewest, int newMost) {
        if (newFewest < 1 || newMost < newFewest) {
            throw new IllegalArgumentException("a length of %d to %d is not possible".formatted(newFewest, newMost));
        }
        return new InstructionFilter(language, newFewest, newMost, mostOutput, share, keywords);
    }

    /** The share of the letters of instruction and output that must be of the language, 0 to 1. */
    public InstructionFilter languageShare(double newShare) {
        if (!(newShare >= 0 && newShare <= 1)) {
            throw new IllegalArgumentException("languageShare is %s, must be 0 to 1".formatted(newShare));
        }
        return new InstructionFilter(language, fewest, most, mostOutput, newShare, keywords);
    }

    /** Another text that no instruction may have, beside the usual ones; in any case; not empty. */
    public InstructionFilter keyword(String text) {
        if (text.isBlank()) {
            throw new IllegalArgumentException("keyword must not be empty");
        }
        List<Pattern> more = new ArrayList<>(keywords);
        more.add(pattern(text));
        return new InstructionFilter(language, fewest, most, mostOutput, share, more);
    }

    /** Why a task is not worth keeping; null if it is. */
    @Nullable Rejection check(Instruction task) {
        String instruction = task.instruction();
        if (instruction.isBlank() || task.output().isBlank()) {
            return Rejection.EMPTY;
        }
        int length = TextUnits.of(instruction).size();
        if (length < fewest) {
            return Rejection.TOO_SHORT;
        }
        if (length > most || TextUnits.of(task.input()).size() > mostOutput || TextUnits.of(task.output()).size() > mostOutput) {
            return Rejection.TOO_LONG;
        }
        if (keywords.stream().anyMatch(keyword -> keyword.matcher(instruction).find())) {
            return Rejection.KEYWORD;
        }
        if (beginsWithPunctuation(instruction)) {
            return Rejection.PUNCTUATION;
        }
        if (shareOfLanguage(instruction + task.output()) < share) {
            return Rejection.LANGUAGE;
        }
        return isSame(task.output(), instruction) || isSame(task.output(), task.input()) ? Rejection.COPY : null;
    }

    /** Opening brackets and quotation marks are fine: a title in them often comes first. */
    private static boolean beginsWithPunctuation(String text) {
        return switch (Character.getType(text.codePointAt(0))) {
            case Character.OTHER_PUNCTUATION, Character.DASH_PUNCTUATION, Character.CONNECTOR_PUNCTUATION, Character.END_PUNCTUATION, Character.FINAL_QUOTE_PUNCTUATION ->
                text.codePointAt(0) != '"' && text.codePointAt(0) != '\'';
            default -> false;
        };
    }

    private double shareOfLanguage(String text) {
        Character.UnicodeScript script = language == RecipeLanguage.CHINESE ? Character.UnicodeScript.HAN : Character.UnicodeScript.LATIN;
        long letters = text.codePoints().filter(Character::isLetter).count();
        long ofLanguage = text.codePoints().filter(Character::isLetter).filter(codePoint -> Character.UnicodeScript.of(codePoint) == script).count();
        return letters == 0 ? 0 : (double) ofLanguage / letters;
    }

    private static boolean isSame(String a, String b) {
        return a.strip().toLowerCase(Locale.ROOT).equals(b.strip().toLowerCase(Locale.ROOT));
    }
}
