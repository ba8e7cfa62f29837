package dev.yangtuo.eval;

import java.util.Locale;

/** Parts of a C-Eval set that questions are asked of; the examples are those of {@code dev}. */
public enum CevalSplit {
    /** With answers. */
    VAL,
    /** C-Eval first published these questions without answers. */
    TEST;

    /** Its name on the command line, of its folder, and at the end of its files' names. */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }

    /**
     * The split of this name, in any case.
     *
     * @throws IllegalArgumentException if there is none
     */
    public static CevalSplit of(String name) {
        for (CevalSplit split : values()) {
            if (split.name().equalsIgnoreCase(name)) {
                return split;
            }
        }
        throw new IllegalArgumentException("'%s' is not a part of a set; there are val, test".formatted(name));
    }
}
