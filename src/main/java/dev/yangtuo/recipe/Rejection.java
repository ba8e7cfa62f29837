package dev.yangtuo.recipe;

/** Why a generated task is not kept; a task has the first of these that is so. */
public enum Rejection {
    /** The last task of a text that was cut off. */
    UNFINISHED,
    /** It has no instruction, or no output, where they are expected. */
    UNREADABLE,
    /** The instruction or the output is empty. */
    EMPTY,
    /** The instruction is too short. */
    TOO_SHORT,
    /** The instruction, the input or the output is too long. */
    TOO_LONG,
    /** It asks for what a text cannot have, such as a picture. */
    KEYWORD,
    /** The instruction begins with a punctuation mark. */
    PUNCTUATION,
    /** Too little of it is in the language that was asked for. */
    LANGUAGE,
    /** The output is the instruction or the input again. */
    COPY,
    /** It is much like one that is kept. */
    DUPLICATE
}
