package dev.yangtuo.cli;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One command of a line as a shell reads it, as far as our documents go: quotes, backslashes, comments, {@code <}, {@code >}, {@code 2>}, {@code |}. What
 * comes after {@code &&}, {@code ||} or {@code ;} is left out. Nothing is expanded, so {@code $(cat file)} in double quotes is a word as it stands.
 *
 * @param words the command and its arguments
 * @param input what {@code <} names, or null
 * @param piped whether it reads what the command before it writes
 */
record ShellLine(List<String> words, @Nullable String input, boolean piped) {
    /** The commands of a pipeline, in their order. */
    static List<ShellLine> parse(String line) {
        Reader reader = new Reader(line.replaceAll("\\\\\n\\s*", " "));
        reader.read();
        return reader.commands;
    }

    /** Whether all quotes are closed, so that a shell would not read on. */
    static boolean isComplete(String line) {
        try {
            parse(line);
            return true;
        } catch (IllegalArgumentException e) {
            return false;
        }
    }

    private static final class Reader {
        private final String line;
        private final List<ShellLine> commands = new ArrayList<>();
        private List<String> words = new ArrayList<>();
        private @Nullable String input;
        private String redirection = "";
        private int position;

        Reader(String line) {
            this.line = line;
        }

        void read() {
            while (position < line.length()) {
                char c = line.charAt(position);
                if (Character.isWhitespace(c)) {
                    position++;
                } else if (c == '#' || c == ';' || line.startsWith("&&", position) || line.startsWith("||", position)) {
                    break;
                } else if (c == '|') {
                    position++;
                    endCommand();
                } else if (line.startsWith("2>", position)) {
                    position += 2;
                    redirection = ">";
                } else if (c == '<' || c == '>') {
                    position += line.startsWith(">>", position) ? 2 : 1;
                    redirection = String.valueOf(c);
                } else {
                    endWord(word());
                }
            }
            endCommand();
        }

        private String word() {
            StringBuilder word = new StringBuilder();
            char quote = 0;
            for (; position < line.length(); position++) {
                char c = line.charAt(position);
                if (quote == 0 && (Character.isWhitespace(c) || c == '|' || c == '<' || c == '>')) {
                    break;
                }
                if (c == quote) {
                    quote = 0;
                } else if (quote == 0 && (c == '"' || c == '\'')) {
                    quote = c;
                } else if (c == '\\' && quote != '\'') {
                    word.append(line.charAt(++position));
                } else {
                    word.append(c);
                }
            }
            if (quote != 0) {
                throw new IllegalArgumentException("a quote is not closed: " + line);
            }
            return word.toString();
        }

        private void endWord(String word) {
            if (redirection.equals("<")) {
                input = word;
            } else if (redirection.isEmpty()) {
                words.add(word);
            }
            redirection = "";
        }

        private void endCommand() {
            commands.add(new ShellLine(words, input, !commands.isEmpty()));
            words = new ArrayList<>();
            input = null;
        }
    }
}
