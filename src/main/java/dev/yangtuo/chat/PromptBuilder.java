package dev.yangtuo.chat;

import java.util.BitSet;

/** A prompt in the making. */
final class PromptBuilder {
    private final StringBuilder text = new StringBuilder();
    private final BitSet quoted = new BitSet();

    /** Adds words of the template. */
    PromptBuilder add(String words) {
        text.append(words);
        return this;
    }

    /** Adds words of a message. */
    PromptBuilder quote(String words) {
        quoted.set(text.length(), text.length() + words.length());
        text.append(words);
        return this;
    }

    ChatPrompt build() {
        return new ChatPrompt(text.toString(), quoted);
    }
}
