package dev.yangtuo.chat;

import java.util.BitSet;

/**
 * The text that a template makes of messages.
 *
 * @param text what the model reads
 * @param quoted indices of the chars of {@code text} that are words of a message, whatever the template did to them; the others are the template's own, and only
 *     these can be special tokens
 */
public record ChatPrompt(String text, BitSet quoted) {
    /** Copies the set. */
    public ChatPrompt {
        quoted = (BitSet) quoted.clone();
    }

    /** A copy of the indices. */
    @Override
    public BitSet quoted() {
        return (BitSet) quoted.clone();
    }
}
