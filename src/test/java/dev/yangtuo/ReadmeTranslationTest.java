package dev.yangtuo;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The Chinese README says what the English one says, as far as a program can tell: who changes one of them is reminded of the other. */
class ReadmeTranslationTest {
    private static final String ENGLISH = "README.md";
    private static final String CHINESE = "README.zh-CN.md";
    private static final Pattern FIGURE = Pattern.compile("\\d+(?:[.,]\\d+)*");
    private static final Pattern LINK = Pattern.compile("]\\(([^)]+)\\)");

    /** The lines below one heading, the heading itself included. */
    private record Section(List<String> lines) {
        int level() {
            return lines.getFirst().indexOf(' ');
        }

        List<String> figures() {
            return matches(FIGURE).map(MatchResult::group).distinct().sorted().toList();
        }

        List<String> links() {
            return matches(LINK).map(match -> match.group(1)).filter(link -> !link.startsWith("README")).sorted().toList();
        }

        private Stream<MatchResult> matches(Pattern pattern) {
            return lines.stream().flatMap(line -> pattern.matcher(line).results());
        }
    }

    @Test
    void eachNamesTheOtherBelowItsTitle() throws IOException {
        assertThat(read(ENGLISH).lines()).startsWith("# Yangtuo 羊驼", "", "[中文](README.zh-CN.md)", "");
        assertThat(read(CHINESE).lines()).startsWith("# Yangtuo 羊驼", "", "[English](README.md)", "");
    }

    @Test
    void sectionsAreTheSame() throws IOException {
        same(file -> sections(file).stream().map(Section::level).toList());
    }

    @Test
    void figuresOfEachSectionAreTheSame() throws IOException {
        same(file -> sections(file).stream().map(Section::figures).toList());
    }

    @Test
    void linksOfEachSectionAreTheSame() throws IOException {
        same(file -> sections(file).stream().map(Section::links).toList());
    }

    @Test
    void tablesHaveTheSameRows() throws IOException {
        same(file -> file.lines().filter(line -> line.startsWith("|")).map(ReadmeTranslationTest::row).toList());
    }

    @Test
    void codeIsTheSame() throws IOException {
        same(file -> Pattern.compile("^```.*?^```$", Pattern.DOTALL | Pattern.MULTILINE).matcher(file).results().map(MatchResult::group).toList());
    }

    @Test
    void commandsAreTheSameUpToTheirComments() throws IOException {
        same(file -> outsideOfCode(file).stream().filter(line -> line.startsWith("    ")).map(line -> line.split(" +# ", 2)[0]).toList());
    }

    private static <T> void same(Function<String, List<T>> part) throws IOException {
        List<T> english = part.apply(read(ENGLISH));
        assertThat(english).isNotEmpty();
        assertThat(part.apply(read(CHINESE))).as(CHINESE).containsExactlyElementsOf(english);
    }

    /** How many cells a row has, and its figures, in whatever order a language puts them. */
    private static String row(String line) {
        return line.split("\\|", -1).length - 2 + " cells with " + FIGURE.matcher(line).results().map(MatchResult::group).sorted().toList();
    }

    private static List<Section> sections(String file) {
        List<Section> sections = new ArrayList<>();
        for (String line : outsideOfCode(file)) {
            if (line.startsWith("#")) {
                sections.add(new Section(new ArrayList<>()));
            }
            sections.getLast().lines().add(line);
        }
        return sections;
    }

    private static List<String> outsideOfCode(String file) {
        List<String> lines = new ArrayList<>();
        boolean code = false;
        for (String line : file.lines().toList()) {
            if (line.startsWith("```")) {
                code = !code;
            } else if (!code) {
                lines.add(line);
            }
        }
        return lines;
    }

    private static String read(String file) throws IOException {
        return Files.readString(Path.of(file));
    }
}
