package dev.yangtuo.sampling;

import java.nio.IntBuffer;
import java.util.Arrays;

/** The tokens of a text so far, prompt included. Guesses are put behind them and taken away again while edits are made for what would follow them. */
final class TokenHistory {
    private int[] tokens = new int[64];
    private IntBuffer view = IntBuffer.wrap(tokens).asReadOnlyBuffer();
    private int count;
    private int promptCount;

    void pushPrompt(int id) {
        push(id);
        promptCount = count;
    }

    void push(int id) {
        if (count == tokens.length) {
            tokens = Arrays.copyOf(tokens, count * 2);
            view = IntBuffer.wrap(tokens).asReadOnlyBuffer();
        }
        tokens[count++] = id;
    }

    void pop() {
        count--;
    }

    int count() {
        return count;
    }

    /** Tokens behind the prompt. */
    int generated() {
        return count - promptCount;
    }

    /** The token that came {@code ago} tokens before the last one. */
    int last(int ago) {
        return tokens[count - 1 - ago];
    }

    /** All of them; valid until the next one. */
    IntBuffer view() {
        return view.clear().limit(count);
    }
}
