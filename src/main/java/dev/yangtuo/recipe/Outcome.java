package dev.yangtuo.recipe;

/** Which system's answer is better. */
public enum Outcome {
    /** The first system's. */
    A,
    /** The second system's. */
    B,
    /** Neither, or the judge was not of one mind. */
    TIE,
    /** The judge gave no verdict. */
    NONE
}
