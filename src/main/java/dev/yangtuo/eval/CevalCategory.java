package dev.yangtuo.eval;

import dev.yangtuo.checkpoint.Quoted;

/** What C-Eval sorts its subjects into. */
public enum CevalCategory {
    /** Science, technology, engineering, mathematics. */
    STEM("STEM"),
    /** Social science. */
    SOCIAL_SCIENCE("Social Science"),
    /** Humanities. */
    HUMANITIES("Humanities"),
    /** All others. */
    OTHER("Other");

    private final String label;

    CevalCategory(String label) {
        this.label = label;
    }

    /** C-Eval's name of it. */
    public String label() {
        return label;
    }

    /**
     * The category of this name.
     *
     * @throws IllegalArgumentException if there is none
     */
    public static CevalCategory of(String name) {
        for (CevalCategory category : values()) {
            if (category.label.equals(name)) {
                return category;
            }
        }
        throw new IllegalArgumentException("%s is not a category; there are STEM, Social Science, Humanities, Other".formatted(Quoted.text(name)));
    }
}
