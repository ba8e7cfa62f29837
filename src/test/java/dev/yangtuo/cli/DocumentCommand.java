package dev.yangtuo.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A command line of a document: a line of an indented or fenced block that begins with {@code ./yangtuo}, after {@code $} or not, or that pipes something into
 * it; or the same in single backquotes, where the dot may be missing.
 *
 * @param line number of the line, from 1 on
 * @param text the command, with the lines that it goes on in
 * @param block whether it stands in a block, to be copied and run, and not in a sentence
 */
record DocumentCommand(Path document, int line, String text, boolean block) {
    private static final String PROGRAM = "./yangtuo";
    private static final Pattern INLINE = Pattern.compile("`(?:\\./)?(yangtuo [^`]+)`");

    /** The documents whose commands people copy. */
    static List<Path> documents() throws IOException {
        List<Path> documents = new ArrayList<>();
        for (Path folder : List.of(Path.of(""), Path.of("docs"))) {
            try (Stream<Path> files = Files.list(folder.toAbsolutePath())) {
                files.filter(file -> file.toString().endsWith(".md")).map(file -> folder.resolve(file.getFileName())).sorted().forEach(documents::add);
            }
        }
        return documents;
    }

    static List<DocumentCommand> of(Path document) throws IOException {
        List<DocumentCommand> commands = new ArrayList<>();
        List<String> lines = Files.readAllLines(document);
        boolean fenced = false;
        for (int i = 0; i < lines.size(); i++) {
            String line = lines.get(i);
            if (line.strip().startsWith("```")) {
                fenced = !fenced;
            } else if (fenced || line.startsWith("    ")) {
                String text = line.strip().replaceFirst("^\\$ ", "");
                if ((text + " ").startsWith(PROGRAM + " ") || text.contains("| " + PROGRAM + " ")) {
                    int first = i + 1;
                    while (i + 1 < lines.size() && (text.endsWith("\\") || !ShellLine.isComplete(text))) {
                        text += "\n" + lines.get(++i).strip();
                    }
                    commands.add(new DocumentCommand(document, first, text.replace(PROGRAM, "yangtuo"), true));
                }
            } else {
                Matcher matcher = INLINE.matcher(line);
                while (matcher.find()) {
                    commands.add(new DocumentCommand(document, i + 1, matcher.group(1), false));
                }
            }
        }
        return commands;
    }

    @Override
    public String toString() {
        return "%s:%d %s".formatted(document, line, text);
    }
}
