package dev.yangtuo.exception;

import org.jspecify.annotations.Nullable;

/** A chat template is damaged, does what no template may do, or does not take the messages that it was given. */
public class ChatTemplateException extends YangtuoException {
    private static final long serialVersionUID = 1L;

    /**
     * @param template name of the template, or the file that it is from; the message begins with it
     * @param problem what was found, what was expected, and the remedy where there is one
     */
    public ChatTemplateException(String template, String problem) {
        this(template, problem, null);
    }

    /**
     * @param template name of the template, or the file that it is from; the message begins with it
     * @param problem what was found, what was expected, and the remedy where there is one
     * @param cause what caused it
     */
    public ChatTemplateException(String template, String problem, @Nullable Throwable cause) {
        super(template + ": " + problem, cause);
    }
}
