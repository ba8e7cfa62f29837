package dev.yangtuo.chat;

/**
 * One message of a conversation.
 *
 * @param role who speaks: {@link #SYSTEM}, {@link #USER}, {@link #ASSISTANT}, or another that the template of the model knows, such as {@code tool}; not empty
 * @param content what is said; nothing in it is ever taken for a special token
 */
public record ChatMessage(String role, String content) {
    /** Who says how to answer. */
    public static final String SYSTEM = "system";
    /** Who asks. */
    public static final String USER = "user";
    /** The model. */
    public static final String ASSISTANT = "assistant";

    /** @throws IllegalArgumentException if the role is empty */
    public ChatMessage {
        if (role.isEmpty()) {
            throw new IllegalArgumentException("the role of a message is empty; it is 'system', 'user', 'assistant', or what the template of the model knows");
        }
    }

    /** What says how to answer. */
    public static ChatMessage system(String content) {
        return new ChatMessage(SYSTEM, content);
    }

    /** A question. */
    public static ChatMessage user(String content) {
        return new ChatMessage(USER, content);
    }

    /** An answer. */
    public static ChatMessage assistant(String content) {
        return new ChatMessage(ASSISTANT, content);
    }

    /** Whether it is of this role. */
    public boolean is(String other) {
        return role.equals(other);
    }
}
