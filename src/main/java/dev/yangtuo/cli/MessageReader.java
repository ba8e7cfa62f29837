package dev.yangtuo.cli;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * Lines to messages. A line is a message; one that ends in a backslash goes on in the next line, and lines between {@code """} and {@code """} are one message as they
 * stand. Blank lines between messages are none.
 */
final class MessageReader {
    private static final String QUOTES = "\"\"\"";
    /** Chars of a message; more than any context takes. */
    private static final int MAX_CHARS = 1 << 28;

    private final ChatInput input;

    MessageReader(ChatInput input) {
        this.input = input;
    }

    /** The next message, or null at the end. */
    @Nullable String next() throws IOException, ChatInput.Interrupted {
        while (true) {
            String line = input.next(false);
            if (line == null) {
                return null;
            }
            String message = line.startsWith(QUOTES) ? quoted(line.substring(QUOTES.length())) : continued(line);
            if (!message.isBlank()) {
                return message;
            }
        }
    }

    private String continued(String first) throws IOException, ChatInput.Interrupted {
        StringBuilder message = new StringBuilder();
        String line = first;
        while (line != null && line.endsWith("\\")) {
            append(message, line.substring(0, line.length() - 1) + "\n");
            line = input.next(true);
        }
        return append(message, line == null ? "" : line).toString();
    }

    private String quoted(String first) throws IOException, ChatInput.Interrupted {
        StringBuilder message = new StringBuilder();
        String line = first;
        while (line != null && !line.endsWith(QUOTES)) {
            append(message, line + "\n");
            line = input.next(true);
        }
        append(message, line == null ? "" : line.substring(0, line.length() - QUOTES.length()));
        // The line feeds next to the quotes are theirs.
        String text = message.toString();
        text = text.startsWith("\n") ? text.substring(1) : text;
        return text.endsWith("\n") ? text.substring(0, text.length() - 1) : text;
    }

    private static StringBuilder append(StringBuilder message, String line) throws IOException {
        if (message.length() + line.length() > MAX_CHARS) {
            throw new IOException("a message is longer than %,d characters".formatted(MAX_CHARS));
        }
        return message.append(line);
    }
}
