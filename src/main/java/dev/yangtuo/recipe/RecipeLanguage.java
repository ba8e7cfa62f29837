package dev.yangtuo.recipe;

/** The language of a recipe's prompts. */
public enum RecipeLanguage {
    /** Chinese, {@code zh}. */
    CHINESE("zh"),
    /** English, {@code en}. */
    ENGLISH("en");

    private final String code;

    RecipeLanguage(String code) {
        this.code = code;
    }

    /** As ISO 639 has it. */
    public String code() {
        return code;
    }

    /**
     * The language of this code.
     *
     * @throws IllegalArgumentException if there is none
     */
    public static RecipeLanguage of(String code) {
        for (RecipeLanguage language : values()) {
            if (language.code.equalsIgnoreCase(code)) {
                return language;
            }
        }
        throw new IllegalArgumentException("'%s' is not a language of the prompts; there are zh, en".formatted(code));
    }
}
