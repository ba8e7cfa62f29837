package dev.yangtuo.cli;

import static dev.yangtuo.cli.CommandRun.DEMO;
import static dev.yangtuo.cli.CommandRun.TINY;
import static dev.yangtuo.cli.CommandRun.TINY_ADAPTER;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.yangtuo.checkpoint.GgufBuilder;
import dev.yangtuo.tensor.TensorType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What {@code inspect} writes for people and for programs, and that no file can command a terminal through it. */
class InspectCommandTest {
    /** Colours, an operating system command, an eight-bit control, a change of direction, a line separator. */
    private static final String HOSTILE = "\u001b[31m\u001b]0;title\u0007\u009b2J\u202eevil\u2028\r\nyangtuo: done";
    private static final List<String> KEYS = List.of("path", "kind", "format", "architecture", "loadable", "obstacle", "files",
            "hyper_parameters", "parameters", "tensor_bytes", "bits_per_weight", "types", "tokenizer", "adapter", "metadata", "tensors");

    @TempDir
    private Path directory;

    private static String text(Object... args) {
        CommandRun run = inspect(args);
        assertThat(run.exitCode()).as(run.errors()).isZero();
        assertThat(run.errors()).isEmpty();
        return run.text();
    }

    private static CommandRun inspect(Object... args) {
        List<Object> words = new ArrayList<>(List.of("inspect"));
        words.addAll(List.of(args));
        return CommandRun.of(words.toArray());
    }

    private static JsonNode json(Object... args) throws IOException {
        List<Object> words = new ArrayList<>(List.of("--json"));
        words.addAll(List.of(args));
        String text = text(words.toArray());
        assertThat(text.lines()).hasSize(1);
        return new ObjectMapper().readTree(text);
    }

    private static List<String> keys(JsonNode object) {
        List<String> keys = new ArrayList<>();
        object.fieldNames().forEachRemaining(keys::add);
        return keys;
    }

    @Test
    void aModelForPeople() {
        assertThat(text(TINY)).startsWith(TINY + ": Hugging Face model, architecture llama, safetensors\n")
                .contains("  layers           3\n")
                .contains("  kv heads         2\n")
                .containsPattern("\n  size +1\\.9 MB, 32\\.00 bits per weight\n")
                .containsPattern("\n  F32 +30 +[0-9,]+ +1\\.9 MB +100\\.0 %\n")
                .containsPattern("\n  model\\.layers\\.N\\.self_attn\\.q_proj\\.weight +0-2 +3 +F32 +64 x 64 +49\\.2 kB\n")
                .containsPattern("\n  pieces +3,000 \\(2,741 normal, 1 unknown, 2 control, 256 byte\\)\n")
                .containsPattern("\n  bos +1 '<s>'\n")
                .doesNotContain("cannot be");
        assertThat(text(TINY).lines()).allSatisfy(line -> assertThat(line.length()).isLessThanOrEqualTo(110));
    }

    @Test
    void anAdapterForPeople() {
        assertThat(text(DEMO.resolve("chinese-lora")))
                .containsPattern("\n  rank +32\n")
                .containsPattern("\n  modules to save +\\[embed_tokens, lm_head\\]\n")
                .containsPattern("\n  LoRA is added to +q_proj +6 +rank 32\n")
                .containsPattern("\n  replaces +lm_head +1 +12183 x 256\n")
                .doesNotContain("cannot be");
    }

    @Test
    void theReasonIsTheLastLine() throws IOException {
        Path model = Files.createDirectory(directory.resolve("model"));
        Files.writeString(model.resolve("config.json"), "{\"model_type\": \"gpt_neox\"}");
        Files.copy(TINY.resolve("model.safetensors"), model.resolve("model.safetensors"));
        assertThat(text(model).lines().toList().getLast()).startsWith("cannot be run: ").contains("\"model_type\" is \"gpt_neox\"");
        Path adapter = Files.createDirectory(directory.resolve("adapter"));
        Files.writeString(adapter.resolve("adapter_config.json"), "{\"peft_type\": \"IA3\"}");
        assertThat(text(adapter).lines().toList().getLast()).startsWith("cannot be merged: ").contains("IA3");
    }

    @ParameterizedTest
    @ValueSource(strings = {"base", "chinese-lora", "alpaca-lora", "base/tokenizer.model", "base/model.safetensors",
        "chinese-lora/adapter_model.safetensors"})
    void jsonHasTheDocumentedKeys(String name) throws IOException {
        JsonNode object = json(DEMO.resolve(name));
        assertThat(keys(object)).containsExactlyElementsOf(KEYS);
        assertThat(object.get("path").textValue()).isEqualTo(DEMO.resolve(name).toString());
        assertThat(object.get("loadable").booleanValue()).isEqualTo(object.get("obstacle").isNull());
        long bytes = 0;
        for (JsonNode tensor : object.get("tensors")) {
            assertThat(keys(tensor)).containsExactly("name", "type", "readable", "shape", "bytes", "file", "offset");
            assertThat(tensor.get("shape").isArray()).isTrue();
            bytes += tensor.get("bytes").longValue();
        }
        assertThat(object.get("tensor_bytes").longValue()).isEqualTo(bytes);
        if (!object.get("tokenizer").isNull()) {
            assertThat(keys(object.get("tokenizer"))).containsExactly("kind", "name", "pre_tokenizer", "file", "pieces", "piece_types",
                    "special", "add_bos", "add_eos", "added", "special_pieces");
        }
        if (!object.get("adapter").isNull()) {
            assertThat(keys(object.get("adapter"))).containsExactly("settings", "changes", "notes");
            assertThat(keys(object.at("/adapter/settings"))).containsExactly("type", "base_model", "rank", "alpha", "use_rslora", "use_dora",
                    "fan_in_fan_out", "bias", "target_modules", "modules_to_save", "rank_pattern", "alpha_pattern", "trainable_token_indices");
            assertThat(keys(object.at("/adapter/changes/0"))).containsExactly("effect", "module", "count", "ranks", "shapes");
        }
    }

    @Test
    void jsonHasTheValues() throws IOException {
        JsonNode object = json(TINY);
        assertThat(object.get("kind").textValue()).isEqualTo("hugging_face");
        assertThat(object.at("/hyper_parameters/dim").intValue()).isEqualTo(64);
        assertThat(object.at("/hyper_parameters/experts").isNull()).isTrue();
        assertThat(object.at("/files/0/bytes").longValue()).isEqualTo(Files.size(TINY.resolve("model.safetensors")));
        assertThat(object.at("/types/0/type").textValue()).isEqualTo("F32");
        assertThat(object.at("/tokenizer/special/eos/piece").textValue()).isEqualTo("</s>");
        assertThat(object.at("/metadata/config.json/model_type").textValue()).isEqualTo("llama");
        assertThat(json(TINY_ADAPTER).get("kind").textValue()).isEqualTo("peft_adapter");
        assertThat(json(TINY.resolve("tokenizer.model")).get("bits_per_weight").isNull()).isTrue();
    }

    @Test
    void longArraysAreShortUnlessAllIsAskedFor() throws IOException {
        String[] words = IntStream.range(0, 101).mapToObj(i -> "word" + i).toArray(String[]::new);
        Path file = new GgufBuilder().put("general.architecture", "other").put("a.words", words).put("a.few", new int[] {1, 2})
                .put("a.not", Float.NaN).put("a.long", "x".repeat(1000)).write(directory.resolve("words.gguf"));
        JsonNode values = json(file).at("/metadata/gguf");
        assertThat(values.at("/a.words/length").intValue()).isEqualTo(101);
        assertThat(values.at("/a.words/first")).hasSize(10);
        assertThat(values.get("a.few")).hasSize(2);
        assertThat(values.get("a.not").textValue()).isEqualTo("NaN");
        assertThat(values.get("a.long").textValue()).hasSize(1000);
        assertThat(json(file, "--all").at("/metadata/gguf/a.words")).hasSize(101);
        assertThat(text(file)).containsPattern("a\\.words +\\[word0, word1, .*, … 9[0-9] more\\]\n").containsPattern("a\\.long +x{69}…\n");
        assertThat(text(file, "--all")).contains("word100]").contains("x".repeat(1000));
    }

    @Test
    void everyTensorIsListedIfAskedFor() {
        assertThat(text(TINY)).doesNotContain("model.layers.1.mlp.up_proj.weight");
        assertThat(text(TINY, "--tensors")).containsPattern("\n  model\\.layers\\.1\\.mlp\\.up_proj\\.weight +F32 +96 x 64 +24,576\n");
    }

    @Test
    void hostileTextIsEscapedEverywhere() throws IOException {
        Path file = new GgufBuilder().put("general.architecture", HOSTILE).put("general." + HOSTILE, HOSTILE)
                .put("list", new String[] {HOSTILE}).put("tokenizer.ggml.model", HOSTILE).put("tokenizer.ggml.tokens", new String[] {HOSTILE})
                .put("tokenizer.ggml.token_type", new int[] {3}).put("tokenizer.ggml." + HOSTILE + "_token_id", 0)
                .tensor("blk." + HOSTILE + ".weight", TensorType.F32, new float[2], 2)
                .write(directory.resolve("hostile.gguf"));
        for (String option : List.of("--tensors", "--all", "--json", "")) {
            String text = option.isEmpty() ? text(file) : text(file, option);
            assertThat(text.codePoints().filter(c -> c != '\n' && TerminalText.mustBeEscaped(c)).boxed()
                    .map(Integer::toHexString).collect(Collectors.toSet())).as(option).isEmpty();
            assertThat(text).as(option).containsIgnoringCase("\\u001b[31m");
            assertThat(text.lines()).as(option).noneMatch(line -> line.startsWith("yangtuo: "));
        }
        JsonNode object = json(file);
        assertThat(object.get("architecture").textValue()).isEqualTo(HOSTILE);
        assertThat(object.at("/metadata/gguf/list/0").textValue()).isEqualTo(HOSTILE);
        assertThat(object.at("/tensors/0/name").textValue()).isEqualTo("blk." + HOSTILE + ".weight");
        // The loader's message has the name of the architecture as well.
        CommandRun refused = CommandRun.of("generate", "--model", file);
        assertThat(refused.exitCode()).isEqualTo(1);
        assertThat(refused.errors()).doesNotContain("\u001b", "\u009b", "\u202e");
    }

    @Test
    void anAdapterConfigurationIsEscaped() throws IOException {
        Path adapter = Files.createDirectory(directory.resolve("adapter"));
        for (String name : List.of("adapter_config.json", "adapter_model.safetensors")) {
            Files.copy(TINY_ADAPTER.resolve(name), adapter.resolve(name));
        }
        Path config = adapter.resolve("adapter_config.json");
        Files.writeString(config, new ObjectMapper().writeValueAsString(((ObjectNode) new ObjectMapper()
                .readTree(config.toFile())).put("base_model_name_or_path", HOSTILE).put(HOSTILE, 1)));
        assertThat(text(adapter)).doesNotContain("\u001b", "\u009b", "\u202e").contains("\\u001b[31m");
    }

    @Test
    void aDeeplyNestedConfigurationIsWrittenWhole() throws IOException {
        Path model = Files.createDirectory(directory.resolve("model"));
        Files.writeString(model.resolve("config.json"), "{\"deep\": " + "[".repeat(990) + "]".repeat(990) + "}");
        assertThat(json(model).at("/metadata/config.json/deep" + "/0".repeat(989)).isArray()).isTrue();
        assertThat(text(model)).contains("[[[[");
    }

    @Test
    void manyTensorsThatDifferAreCutInText() throws IOException {
        GgufBuilder gguf = new GgufBuilder().put("general.architecture", "other");
        for (int i = 0; i < 300; i++) {
            gguf.tensor("t" + i + ".weight", TensorType.F32, new float[1], 1);
        }
        Path file = gguf.write(directory.resolve("many.gguf"));
        assertThat(text(file)).contains("  … and 100 more; --tensors shows them\n");
        assertThat(text(file, "--tensors")).contains("  t299.weight");
        assertThat(json(file).get("tensors")).hasSize(300);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "inspect | Missing required parameter: 'PATH'",
        "inspect a b | 'b'",
        "inspect a --json --tensors | --tensors is for text",
        "inspect a --no-such | '--no-such'"
    })
    void wrongUsageIsSaid(String commandLine, String said) {
        CommandRun run = CommandRun.of((Object[]) commandLine.split(" "));
        assertThat(run.exitCode()).isEqualTo(2);
        assertThat(run.output()).isEmpty();
        assertThat(run.problem()).contains(said);
    }

    @Test
    void whatCannotBeInspectedIsAFailureInOneParagraph() throws IOException {
        Path text = Files.writeString(directory.resolve("notes.txt"), "nothing of the kind");
        for (Path path : List.of(directory.resolve("none"), text, directory)) {
            CommandRun run = inspect(path, "--json");
            assertThat(run.exitCode()).isEqualTo(1);
            assertThat(run.output()).isEmpty();
            assertThat(run.problem()).contains(path + ": ");
        }
    }
}
