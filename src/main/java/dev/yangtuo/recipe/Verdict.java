package dev.yangtuo.recipe;

/** What a judge says of two answers, by the places at which they stood. */
public enum Verdict {
    /** The first is better, {@code [[A]]}. */
    FIRST("A"),
    /** The second is better, {@code [[B]]}. */
    SECOND("B"),
    /** Both are as good, {@code [[C]]}. */
    TIE("C"),
    /** The judge said none of these. */
    NONE("none");

    private final String letter;

    Verdict(String letter) {
        this.letter = letter;
    }

    /** As it is written: A, B, C or none. */
    public String letter() {
        return letter;
    }
}
