package dev.yangtuo.sampling;

/** A step that changes single logits by the tokens that were there, in the same way wherever the logits are: on the device, or all of them in a row. */
interface EditStep {
    /** A token has come to the history. */
    default void pushed(TokenHistory history) {}

    /** The last token of the history is about to go. */
    default void popping(TokenHistory history) {}

    void edit(TokenHistory history, LogitEdits edits);
}
