package dev.yangtuo.cli;

import static dev.yangtuo.cli.CommandRun.DEMO;
import static dev.yangtuo.cli.CommandRun.TINY;
import static dev.yangtuo.cli.CommandRun.TINY_ADAPTER;
import static org.assertj.core.api.Assertions.assertThat;

import dev.yangtuo.Llama;
import dev.yangtuo.LoadOptions;
import dev.yangtuo.llamacpp.LlamaCppLibrary;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicContainer;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParseResult;

/**
 * Every {@code ./yangtuo} in the documents is understood by the program, and those in blocks are run, as far as the files that they name are in the repository,
 * were written by a command before them in the same document, or are among the stand-ins that this test makes: a tiny model for {@code path/to/llama}, some
 * lines for {@code text.txt}. What else is named, such as a folder of LLaMA's own weights, is not there, so those commands are only parsed.
 */
class DocumentCommandsTest {
    /** Labels of values that are names of files. */
    private static final Set<String> PLACES = Set.of("FILE", "PATH", "DIR", "PATH[:SCALE]");

    /** Options whose files the command writes, or reads if they are there. */
    private static final Set<String> OUTPUTS = Set.of(
            "--output", "--merge-report", "--plot", "--prompt-cache", "--cache", "--synthetic-output", "--summary", "--report", "--predictions", "--submission");

    /** Keeps each run short; added where the command has the option and the document does not use it. */
    private static final Map<String, String> CAPS = Map.of("--max-tokens", "4", "--seed", "1");

    /** Commands that are only parsed though they could be run. */
    private static final Map<String, String> SLOW = Map.of(
            "yangtuo bench", "measures the machine for seconds; BenchCommandTest runs it",
            "yangtuo compare-vocab --text", "generates for seconds, or for a minute; CompareVocabCommandTest runs it",
            "yangtuo eval compare", "computes two whole texts; EvalCommandTest runs it");

    /** Not commands of the program but of the launcher. */
    private static final Pattern LAUNCHER = Pattern.compile("yangtuo (test|package)( .*)?", Pattern.DOTALL);

    @TempDir
    private static Path standIns;

    @BeforeAll
    static void makeStandIns() throws IOException {
        Files.createDirectories(standIns.resolve("path/to"));
        for (String model : List.of("llama", "small-llama", "model", "alpaca")) {
            link("path/to/" + model, TINY);
        }
        link("path/to/chinese-lora", TINY_ADAPTER);
        link("path/to/adapter", TINY_ADAPTER);
        Llama.convert(DEMO.resolve("base"), standIns.resolve("path/to/chinese-llama"), LoadOptions.defaults().lora(DEMO.resolve("chinese-lora")));
        link("llama.model", TINY.resolve("tokenizer.model"));
        link("chinese.model", DEMO.resolve("chinese-lora/tokenizer.model"));
        Llama.convert(DEMO.resolve("base"), standIns.resolve("model.gguf"), LoadOptions.defaults());
        for (String text : List.of("text.txt", "texts.txt", "corpus.txt", "prompt.txt", "system.txt")) {
            // What is measured with a context of 512 must have two windows.
            int repeats = text.equals("text.txt") ? 24 : 1;
            Files.writeString(standIns.resolve(text), "床前明月光，疑是地上霜。\nIn the beginning was the word.\n".repeat(repeats));
        }
        Files.writeString(standIns.resolve("texts.jsonl"), "{\"text\":\"床前明月光\"}\n");
        Files.writeString(standIns.resolve("prompts.jsonl"), "{\"id\":\"1\",\"prompt\":\"千里\"}\n{\"id\":\"2\",\"prompt\":\"In the\"}\n");
        Files.writeString(standIns.resolve("person.schema.json"),
                "{\"type\":\"object\",\"properties\":{\"name\":{\"type\":\"string\",\"maxLength\":4}},\"required\":[\"name\"]}");
        Files.writeString(standIns.resolve("ids.txt"), "1 300 400\n");
    }

    private static void link(String name, Path target) throws IOException {
        Files.createSymbolicLink(standIns.resolve(name), target.toAbsolutePath());
    }

    @TestFactory
    Stream<DynamicContainer> everyCommandIsUnderstoodAndRuns() throws IOException {
        List<DynamicContainer> documents = new ArrayList<>();
        for (Path document : DocumentCommand.documents()) {
            Path directory = Files.createDirectory(standIns.resolve("in-" + document.toString().replace('/', '-')));
            documents.add(DynamicContainer.dynamicContainer(document.toString(), DocumentCommand.of(document).stream()
                    .filter(command -> !LAUNCHER.matcher(command.text()).matches())
                    .map(command -> DynamicTest.dynamicTest(command.toString(), () -> check(command, directory)))));
        }
        return documents.stream();
    }

    /** A test that finds nothing to test would pass. */
    @Test
    void mostCommandsInBlocksAreRun() throws IOException {
        List<String> run = new ArrayList<>();
        List<String> parsed = new ArrayList<>();
        Path nothingWritten = Files.createDirectory(standIns.resolve("nothing-written"));
        for (Path document : DocumentCommand.documents()) {
            for (DocumentCommand command : DocumentCommand.of(document)) {
                ShellLine first = ShellLine.parse(command.text()).getFirst();
                if (command.block() && first.words().getFirst().equals("yangtuo") && !LAUNCHER.matcher(command.text()).matches()) {
                    (new Attempt(first, nothingWritten).arguments() == null ? parsed : run).add(command.toString());
                }
            }
        }
        assertThat(run).as("run; parsed only: %s", parsed).hasSizeGreaterThan(15).hasSizeGreaterThan(parsed.size());
    }

    /** @param directory where the commands of the document write */
    private static void check(DocumentCommand command, Path directory) throws IOException {
        byte[] piped = new byte[0];
        boolean runs = command.block();
        for (ShellLine line : ShellLine.parse(command.text())) {
            if (!line.words().getFirst().equals("yangtuo")) {
                runs = false; // what another program writes, or does with the output, is not ours
                continue;
            }
            String[] arguments = line.words().subList(1, line.words().size()).toArray(String[]::new);
            assertThat(problem(arguments, command.block())).as(command.toString()).isNull();
            Attempt attempt = new Attempt(line, directory);
            List<String> words = runs ? attempt.arguments() : null;
            runs = words != null;
            if (runs) {
                CommandRun run = CommandRun.with(line.piped() ? piped : attempt.input(), words.toArray());
                assertThat(run.exitCode()).as("%s%n%s", command, run.errors()).isZero();
                piped = run.output();
            }
        }
    }

    /**
     * What the program does not understand; null if there is nothing.
     *
     * @param whole whether what a command needs must be there; a sentence may name a command with the options that it is about
     */
    private static String problem(String[] arguments, boolean whole) {
        try {
            CommandTree.fresh().parseArgs(whole ? arguments : Arrays.stream(arguments).map(word -> word.equals("N") ? "1" : word).toArray(String[]::new));
            return null;
        } catch (CommandLine.MissingParameterException e) {
            return whole ? e.getMessage() : null;
        } catch (CommandLine.ParameterException e) {
            return e.getMessage();
        }
    }

    /** A command whose files are looked for. */
    private record Attempt(ShellLine line, Path directory) {
        /** What it is run with; null if something that it reads is not there. */
        List<String> arguments() {
            if (SLOW.keySet().stream().anyMatch(slow -> String.join(" ", line.words()).startsWith(slow))) {
                return null;
            }
            List<String> words = new ArrayList<>(line.words().subList(1, line.words().size()));
            if (!LlamaCppLibrary.isNamed(null) && (words.contains("llama.cpp") || words.contains("--compare-engines"))) {
                return null; // its library is not there
            }
            if (words.stream().anyMatch(word -> word.contains("$(")) || line.input() != null && find(line.input()) == null) {
                return null;
            }
            ParseResult result = CommandTree.fresh().parseArgs(words.toArray(String[]::new));
            while (result.hasSubcommand()) {
                result = result.subcommand();
            }
            for (ArgSpec argument : result.matchedArgs()) {
                for (String value : PLACES.contains(argument.paramLabel()) ? argument.originalStringValues() : List.<String>of()) {
                    if (value.isEmpty()) {
                        continue; // --cache without a folder
                    }
                    Path place = argument.isOption() && OUTPUTS.contains(((OptionSpec) argument).longestName()) ? output(value) : find(value);
                    if (place == null) {
                        return null;
                    }
                    words.replaceAll(word -> word.equals(value) ? place.toString()
                            : word.endsWith("=" + value) ? word.replace("=" + value, "=" + place) : word);
                }
            }
            words.replaceAll(word -> word.contains(".") && Files.exists(standIns.resolve(word)) ? standIns.resolve(word).toString() : word);
            cap(words, result);
            return words;
        }

        private static void cap(List<String> words, ParseResult result) {
            CommandLine.Model.CommandSpec command = result.commandSpec();
            CAPS.forEach((option, value) -> {
                boolean counts = !option.equals("--seed") || command.name().equals("generate");
                if (counts && command.findOption(option) != null && !words.contains(option)) {
                    words.addAll(List.of(option, value));
                }
            });
        }

        byte[] input() throws IOException {
            return line.input() == null ? "".getBytes(StandardCharsets.UTF_8) : Files.readAllBytes(find(line.input()));
        }

        private Path output(String value) {
            return directory.resolve(value.replace("~", "home"));
        }

        /** What a command before it wrote, a stand-in, or a file of the repository. */
        private Path find(String value) {
            if (value.equals("-")) {
                return Path.of("-");
            }
            String path = value.replaceFirst(":[0-9.]+$", "");
            for (Path place : List.of(directory.resolve(path), standIns.resolve(path), Path.of(path))) {
                if (Files.exists(place)) {
                    return Path.of(place + value.substring(path.length()));
                }
            }
            return null;
        }
    }
}
