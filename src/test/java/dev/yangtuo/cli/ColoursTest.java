package dev.yangtuo.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.yangtuo.ChildJvm;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Colours are for terminals, unless the environment says otherwise. */
class ColoursTest {
    private static final String ESCAPE = "\u001b";

    @ParameterizedTest
    @CsvSource({
        // NO_COLOR, CLICOLOR_FORCE, CLICOLOR, TERM, terminal?, colours?
        ",,,xterm,true,true",
        ",,,xterm,false,false",
        ",,,dumb,true,false",
        "1,,,xterm,true,false",
        "'',,,xterm,true,true",
        "1,1,,xterm,true,false",
        ",1,,xterm,false,true",
        ",1,0,dumb,false,true",
        ",0,,xterm,false,false",
        ",0,,xterm,true,true",
        ",,0,xterm,true,false",
        ",,1,xterm,true,true"
    })
    void theEnvironmentDecides(String noColor, String force, String cliColor, String term, boolean terminal, boolean coloured) {
        Map<String, String> environment = new HashMap<>();
        environment.put("NO_COLOR", noColor);
        environment.put("CLICOLOR_FORCE", force);
        environment.put("CLICOLOR", cliColor);
        environment.put("TERM", term);
        environment.values().removeIf(value -> value == null);
        assertThat(Colours.of(environment, terminal, terminal)).isEqualTo(new Colours(coloured, coloured));
    }

    @Test
    void eachOutputIsLookedAtByItself() {
        assertThat(Colours.of(Map.of(), true, false)).isEqualTo(new Colours(true, false));
        assertThat(Colours.of(Map.of(), false, true)).isEqualTo(new Colours(false, true));
    }

    @Test
    void problemsHaveTheSameWordsWithAndWithout() {
        assertThat(Colours.NONE.problem("x")).isEqualTo("yangtuo: x");
        String coloured = new Colours(false, true).problem("x");
        assertThat(coloured).startsWith(ESCAPE);
        assertThat(coloured.replaceAll(ESCAPE + "\\[[0-9;]*m", "")).isEqualTo("yangtuo: x");
    }

    @Test
    void whatIsNoTerminalGetsNone() throws Exception {
        for (String[] arguments : new String[][] {{"generate", "--help"}, {"generate", "--model", "/no/such"}, {}}) {
            ChildJvm.Outcome outcome = ChildJvm.run(30, Map.of("CLICOLOR_FORCE", ""), List.of(), Main.class, arguments);
            assertThat(outcome.output()).contains("yangtuo").doesNotContain(ESCAPE);
        }
    }

    @Test
    void theyCanBeAskedFor() throws Exception {
        Map<String, String> forced = Map.of("CLICOLOR_FORCE", "1", "NO_COLOR", "");
        assertThat(ChildJvm.run(30, forced, List.of(), Main.class, "doctor", "--help").output()).contains(ESCAPE);
        assertThat(ChildJvm.run(30, forced, List.of(), Main.class, "doctor", "--no-such").output()).startsWith(ESCAPE);
    }

    /** {@code script} runs a command on a terminal of its own. */
    @Test
    void aTerminalGetsThem() throws Exception {
        assumeTrue(Files.isExecutable(Path.of("/usr/bin/script")) && Files.isSymbolicLink(Path.of("/proc/self/fd/1")));
        assertThat(onTerminal("doctor --help", Map.of())).contains(ESCAPE, "yangtuo doctor");
        assertThat(onTerminal("doctor --no-such", Map.of())).contains(ESCAPE, "--no-such");
        assertThat(onTerminal("doctor --no-such", Map.of("NO_COLOR", "1"))).contains("--no-such").doesNotContain(ESCAPE);
        // Standard output is a terminal, standard error is not.
        Path errors = Files.createTempFile("errors", ".txt");
        onTerminal("doctor --no-such 2> " + errors, Map.of());
        assertThat(Files.readString(errors)).startsWith("yangtuo: ").doesNotContain(ESCAPE);
        Files.delete(errors);
    }

    private static String onTerminal(String arguments, Map<String, String> environment) throws Exception {
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        ProcessBuilder builder = new ProcessBuilder("script", "--quiet", "--command",
                "'%s' -cp \"$YANGTUO_CLASS_PATH\" %s %s".formatted(java, Main.class.getName(), arguments), "/dev/null").redirectErrorStream(true);
        builder.redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()));
        builder.environment().put("YANGTUO_CLASS_PATH", System.getProperty("java.class.path"));
        builder.environment().put("TERM", "xterm");
        builder.environment().keySet().removeAll(List.of("NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"));
        builder.environment().putAll(environment);
        Process process = builder.start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
        return output;
    }
}
