package dev.yangtuo.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code --grammar}, {@code --json-schema} and {@code --regex}. */
class GrammarFlagsTest {
    @TempDir
    private Path directory;

    private static CommandRun generate(Object... more) {
        List<Object> args = new ArrayList<>(List.of("generate", "--prompt", "《静夜思》", "--seed", "1"));
        args.addAll(List.of(more));
        return CommandRun.of(args.toArray());
    }

    private Path file(String name, String text) throws IOException {
        return Files.writeString(directory.resolve(name), text);
    }

    @Test
    void grammarsOfFilesAndOfTheCommandLine() throws IOException {
        CommandRun grammar = generate("--grammar", file("poem.gbnf", "root ::= [一-鿿]{5} \"，\" [一-鿿]{5} \"。\" # two lines\n"));
        assertThat(grammar.exitCode()).as(grammar.errors()).isZero();
        assertThat(grammar.text()).matches("[一-鿿]{5}，[一-鿿]{5}。\n");
        assertThat(generate("--regex", "[一-鿿]{7}").text()).matches("[一-鿿]{7}\n");

        String schema = "{\"type\": \"object\", \"properties\": {\"poet\": {\"enum\": [\"李白\", \"杜甫\"]}}, \"required\": [\"poet\"]}";
        for (Object source : List.of(schema, file("poet.json", schema))) {
            JsonNode value = new ObjectMapper().readTree(generate("--json-schema", source).text());
            assertThat(value.get("poet").textValue()).isIn("李白", "杜甫");
        }
    }

    @Test
    void answersOfAChatFollowGrammars() {
        CommandRun run = CommandRun.with("以《春夜》为题写一首诗。\n以《秋思》为题写一首诗。\n", "chat", "--seed", "2", "--regex", "[一-鿿]{5}，[一-鿿]{5}。");
        assertThat(run.exitCode()).as(run.errors()).isZero();
        assertThat(run.text()).matches("(\\s*[一-鿿]{5}，[一-鿿]{5}。\\s*){2}");
    }

    @Test
    void aTextThatIsCutOffIsExplained() {
        CommandRun run = generate("--regex", "[一-鿿]{50}", "--max-tokens", "3");
        assertThat(run.exitCode()).isZero();
        assertThat(run.errors()).contains("give it more tokens with --max-tokens");
    }

    @Test
    void whatIsWrongIsSaid() throws IOException {
        assertThat(generate("--regex", "a", "--json-schema", "{}").exitCode()).isEqualTo(2);
        CommandRun regex = generate("--regex", "(a");
        assertThat(regex.exitCode()).isEqualTo(2);
        assertThat(regex.errors()).contains("--regex: the regular expression, line 1, column 3");
        CommandRun missing = generate("--grammar", directory.resolve("none.gbnf"));
        assertThat(missing.exitCode()).isEqualTo(1);
        assertThat(missing.errors()).contains("none.gbnf: there is no such file");
        CommandRun wrong = generate("--grammar", file("wrong.gbnf", "root ::= x"));
        assertThat(wrong.exitCode()).isEqualTo(1);
        assertThat(wrong.errors()).contains("wrong.gbnf: the grammar, line 1, column 10: there is no rule 'x'");
        CommandRun schema = generate("--json-schema", "{\"type\": \"strin\"}");
        assertThat(schema.exitCode()).isEqualTo(2);
        assertThat(schema.errors()).contains("--json-schema: the JSON schema, #: 'type': 'strin' is no type");
    }
}
