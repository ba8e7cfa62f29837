package dev.yangtuo.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.yangtuo.Llama;
import dev.yangtuo.LoadOptions;
import dev.yangtuo.ModelFolders;
import dev.yangtuo.exception.TokenizerFormatException;
import dev.yangtuo.exception.YangtuoException;
import dev.yangtuo.tokenizer.PieceType;
import dev.yangtuo.tokenizer.Tokenizer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Hugging Face's files beside a {@code tokenizer.model}. */
class AddedTokensTest {
    /** Pieces of the demonstration's base model, which the tests extend. */
    private static final int SIZE = 3000;

    @TempDir
    private Path folder;

    @BeforeEach
    void copyModel() throws IOException {
        Files.copy(ModelFolders.DEMO.resolve("base/tokenizer.model"), folder.resolve("tokenizer.model"));
    }

    private AddedTokensTest added(String json) {
        return write("added_tokens.json", json);
    }

    private AddedTokensTest config(String json) {
        return write("tokenizer_config.json", json);
    }

    private AddedTokensTest specialMap(String json) {
        return write("special_tokens_map.json", json);
    }

    private AddedTokensTest write(String name, String json) {
        try {
            Files.writeString(folder.resolve(name), json);
            return this;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Tokenizer load() {
        return TokenizerFiles.load(folder);
    }

    private void assertRefused(String file, String... parts) {
        assertThatThrownBy(this::load).isInstanceOf(TokenizerFormatException.class)
                .hasMessageStartingWith(folder.resolve(file) + ": ").hasMessageContainingAll(parts)
                .satisfies(e -> assertThat(e.getMessage()).hasSizeLessThan(1000));
    }

    @Test
    void withoutTheFilesTheModelIsAsItIs() {
        Tokenizer tokenizer = load();
        assertThat(tokenizer.vocabSize()).isEqualTo(SIZE);
        assertThat(tokenizer.model().special()).isEqualTo(Tokenizer.load(folder.resolve("tokenizer.model")).model().special());
    }

    @Test
    void aPaddingTokenOfABareFileIsAControlPiece() {
        added("{\"[PAD]\": 3000}");
        Tokenizer tokenizer = load();
        assertThat(tokenizer.vocabSize()).isEqualTo(SIZE + 1);
        assertThat(tokenizer.type(SIZE)).isEqualTo(PieceType.CONTROL);
        assertThat(tokenizer.id("[PAD]")).hasValue(SIZE);
        assertThat(tokenizer.encode("[PAD]")).doesNotContain(SIZE);
        assertThat(tokenizer.decode(SIZE)).isEmpty();
        assertThat(tokenizer.padId()).as("nothing names it").isEqualTo(-1);
        specialMap("{\"pad_token\": \"[PAD]\", \"bos_token\": \"<s>\"}");
        assertThat(load().padId()).isEqualTo(SIZE);
    }

    @Test
    void theFileAloneIsNotExtended() {
        added("{\"[PAD]\": 3000}");
        assertThat(TokenizerFiles.load(folder.resolve("tokenizer.model")).vocabSize()).isEqualTo(SIZE);
    }

    @Test
    void aNormalPieceOfTheModelThatIsNamedStaysNormal() {
        int the = Tokenizer.load(folder.resolve("tokenizer.model")).id("▁the").orElseThrow();
        added("{\"▁the\": %d}".formatted(the)).config("{\"pad_token\": \"▁the\"}");
        Tokenizer tokenizer = load();
        assertThat(tokenizer.vocabSize()).isEqualTo(SIZE);
        assertThat(tokenizer.type(the)).isEqualTo(PieceType.NORMAL);
        assertThat(tokenizer.padId()).isEqualTo(the);
        assertThat(tokenizer.encode("the")).containsExactly(the);
    }

    @Test
    void onlyAnExplicitFalseMakesAnAddedTokenUserDefined() {
        config("""
                {"added_tokens_decoder": {
                    "0": {"content": "<unk>", "special": true},
                    "3000": {"content": "<|im_end|>", "lstrip": false, "special": true},
                    "3001": {"content": "<think>", "special": false},
                    "3002": {"content": "<unsaid>"},
                    "3003": {"content": "two words", "special": false},
                    "3004": {"content": "<extra>", "special": false},
                    "3005": {"content": "<mapped>", "special": false},
                    "3006": {"content": "<null>", "special": null},
                    "3007": {"content": "<end>", "special": false}},
                 "additional_special_tokens": ["<|im_end|>", {"content": "<extra>"}], "eos_token": {"content": "<end>"}}""")
                .specialMap("{\"cls_token\": {\"content\": \"<mapped>\", \"lstrip\": false}, \"additional_special_tokens\": []}")
                .added("{\"<think>\": 3001, \"<bare>\": 3008}");
        Tokenizer tokenizer = load();
        assertThat(tokenizer.vocabSize()).isEqualTo(3009);
        for (int id : new int[] {3000, 3002, 3004, 3005, 3006, 3007, 3008}) {
            assertThat(tokenizer.type(id)).as("id %d", id).isEqualTo(PieceType.CONTROL);
        }
        assertThat(tokenizer.type(3001)).isEqualTo(PieceType.USER_DEFINED);
        assertThat(tokenizer.type(3003)).isEqualTo(PieceType.USER_DEFINED);
        assertThat(tokenizer.type(0)).as("an id of the model keeps its type").isEqualTo(PieceType.UNKNOWN);
        assertThat(tokenizer.encode("a<think>two words<unsaid>")).contains(3001).doesNotContain(3002);
        assertThat(tokenizer.encodeAsPieces("two words")).as("spaces are U+2581 in pieces").contains("two▁words");
        assertThat(tokenizer.decode(3001, 3003, 3000)).isEqualTo("<think>two words");
        assertThat(tokenizer.eosId()).isEqualTo(3007);
    }

    @Test
    void specialIdsComeFromTheFirstFileThatNamesAPiece() {
        config("{\"bos_token\": \"</s>\", \"eos_token\": \"\", \"pad_token\": null, \"unk_token\": \"<unk>\","
                + " \"add_bos_token\": false, \"add_eos_token\": true}")
                .specialMap("{\"bos_token\": \"<s>\", \"eos_token\": \"<nowhere>\", \"pad_token\": \"<unk>\"}");
        Tokenizer tokenizer = load();
        assertThat(tokenizer.bosId()).isEqualTo(2);
        assertThat(tokenizer.eosId()).as("the model's own").isEqualTo(2);
        assertThat(tokenizer.padId()).isZero();
        assertThat(tokenizer.model().special().addBos()).isFalse();
        assertThat(tokenizer.model().special().addEos()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "{\"pad_token\": null, \"unk_token\": \"<unk>\"}",
        "{\"bos_token\": \"\", \"eos_token\": \"\", \"model_max_length\": 1000000000000000019884624838656, \"unk_token\": \"\"}",
        "{\"add_bos_token\": true, \"bos_token\": {\"__type\": \"AddedToken\", \"content\": \"<s>\", \"lstrip\": false, \"normalized\": true},"
                + " \"sp_model_kwargs\": {}, \"additional_special_tokens\": null, \"added_tokens_decoder\": null, \"add_eos_token\": null}",
        "{\"additional_special_tokens\": [], \"extra_special_tokens\": {}, \"chat_template\": [{\"name\": \"a\", \"template\": \"{{ x }}\"}]}",
        "{}",
    })
    void configurationsOfLlamaModelsChangeNothing(String json) {
        config(json).specialMap("{\"unk_token\": {\"content\": \"<unk>\"}, \"pad_token\": null}").added("{}");
        Tokenizer tokenizer = load();
        assertThat(tokenizer.vocabSize()).isEqualTo(SIZE);
        assertThat(tokenizer.model().special()).isEqualTo(Tokenizer.load(folder.resolve("tokenizer.model")).model().special());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        "{\"<s>\": 2}|'<s>' has the id 2, but in tokenizer.model that is '</s>'",
        "{\"<s>\": 3000}|'<s>' has the id 3000, but in tokenizer.model it has the id 1",
        "{\"x\": 3001}|'x' has the id 3001, but no piece has the id 3000",
        "{\"x[1]\": 3000, \"y[1]\": 3002}|'y[1]' has the id 3002, but no piece has the id 3001",
        "{\"x[1]\": 3000, \"y[1]\": 3000}|the id 3000 is that of 'y[1]', but in added_tokens.json that of 'x[1]'",
        "{\"x[1]\": 3000, \"x[1]\": 3001}|Duplicate field 'x[1]'",
        "{\"x 1\": 3000, \"x▁1\": 3001}|'x▁1' has the id 3001, but also the id 3000",
        "{\"x\": -1}|the id of 'x' is -1; expected a number from 0 on",
        "{\"x\": 2147483648}|the id of 'x' is 2147483648; expected",
        "{\"x\": 2147483647}|'x' has the id 2147483647, but no piece has the id 3000",
        "{\"x\": 3000.0}|the id of 'x' is 3000.0; expected",
        "{\"x\": \"3000\"}|the id of 'x' is \"3000\"; expected",
        "{\"x\": null}|the id of 'x' is null; expected",
        "{\"x\": 1e999999999}|",
        "{\"x\": [3000]}|the id of 'x' is [3000]; expected",
        "{\"\": 3000}|the piece with the id 3000 is empty",
        "[\"x\"]|not a JSON object",
        "{\"x\": 3000|not valid JSON",
        "{\"x\": 3000} {}|not valid JSON",
        "``|not a JSON object",
    })
    void contradictionsInAddedTokensAreRefused(String json, String message) {
        // A plain x is a piece of the model.
        added(json.replace("\"x\"", "\"x[0]\""));
        assertRefused("added_tokens.json", message == null ? "" : message.replace("'x'", "'x[0]'"));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        "{\"added_tokens_decoder\": {\"1\": {\"content\": \"<S>\"}}}|'<S>' has the id 1, but in tokenizer.model that is '<s>'",
        "{\"added_tokens_decoder\": {\"3001\": {\"content\": \"<x>\"}}}|'<x>' has the id 3001, but no piece has the id 3000",
        "{\"added_tokens_decoder\": {\"-1\": {\"content\": \"<x>\"}}}|entry '-1': expected an id from 0 on",
        "{\"added_tokens_decoder\": {\"03000\": {\"content\": \"<x>\"}}}|entry '03000': expected an id",
        "{\"added_tokens_decoder\": {\"2147483648\": {\"content\": \"<x>\"}}}|entry '2147483648': expected an id",
        "{\"added_tokens_decoder\": {\"99999999999999999999\": {\"content\": \"<x>\"}}}|expected an id",
        "{\"added_tokens_decoder\": {\"3000\": {}}}|entry '3000' is {}; expected a piece or an object with its 'content'",
        "{\"added_tokens_decoder\": {\"3000\": {\"content\": 5}}}|expected a piece",
        "{\"added_tokens_decoder\": {\"3000\": [\"<x>\"]}}|expected a piece",
        "{\"added_tokens_decoder\": {\"3000\": {\"content\": \"<x>\", \"special\": \"no\"}}}|'special' is \"no\"; expected true or false",
        "{\"added_tokens_decoder\": {\"3000\": {\"content\": \"\"}}}|the piece with the id 3000 is empty",
        "{\"added_tokens_decoder\": {\"3000\": {\"content\": \"<x>\"}, \"3001\": {\"content\": \"<x>\"}}}|but also the id 3000",
        "{\"added_tokens_decoder\": {\"3000\": {\"content\": \"\\ud800\"}}}|",
        "{\"added_tokens_decoder\": []}|'added_tokens_decoder' is []; expected an object",
        "{\"bos_token\": 1}|'bos_token' is 1; expected a piece",
        "{\"bos_token\": {\"id\": 1}}|'bos_token'",
        "{\"additional_special_tokens\": [1]}|'additional_special_tokens' is 1; expected a piece",
        "{\"add_bos_token\": 1}|'add_bos_token' is 1; expected true or false",
        "{\"bos_token\": \"<s>\", \"bos_token\": \"</s>\"}|Duplicate field",
    })
    void contradictionsInTheConfigurationAreRefused(String json, String message) {
        config(json);
        assertThatThrownBy(this::load).isInstanceOf(TokenizerFormatException.class)
                .hasMessageStartingWith(folder.toString()).hasMessageContaining(message == null ? "" : message);
    }

    @Test
    void twoFilesThatDisagreeAreNamed() {
        config("{\"added_tokens_decoder\": {\"3000\": {\"content\": \"<x>\"}}}").added("{\"<y>\": 3000}");
        assertRefused("added_tokens.json", "the id 3000 is that of '<y>', but in tokenizer_config.json that of '<x>'");
    }

    @Test
    void hostileJsonIsRefusedQuickly() throws IOException {
        config("{\"x\": ".repeat(100_000) + "1" + "}".repeat(100_000));
        assertRefused("tokenizer_config.json", "not valid JSON", "depth");
        config("{\"x\": " + "9".repeat(10_000) + "}");
        assertRefused("tokenizer_config.json", "not valid JSON");
        config("{\"bos_token\": \"" + "x".repeat(1_000_000) + "\"}");
        assertThat(load().bosId()).as("no such piece").isEqualTo(1);
        added("{\"" + "x".repeat(40_000) + "\": -1}");
        assertRefused("added_tokens.json", "expected a number from 0 on");
        added("{\"" + "x".repeat(1_000_000) + "\": 3000}");
        assertRefused("added_tokens.json", "not valid JSON");
        added("{\"\\u001b[2J\\n\": -1}");
        assertRefused("added_tokens.json", "the id of '\\u001b[2J\\u000a' is -1");
        Files.writeString(folder.resolve("added_tokens.json"), " ".repeat((16 << 20) + 1));
        assertRefused("added_tokens.json", "larger than 16 MiB");
        Files.delete(folder.resolve("added_tokens.json"));
        Files.createDirectory(folder.resolve("added_tokens.json"));
        assertRefused("added_tokens.json", "is not a plain file");
    }

    @Test
    void anyByteChangedGivesATokenizerOrAClearException() throws IOException {
        byte[] whole = """
                {"added_tokens_decoder": {"3000": {"content": "<a>", "special": true}, "3001": {"content": "<b>", "special": false}},
                 "bos_token": "<s>", "additional_special_tokens": ["<a>"], "add_bos_token": true}""".getBytes(StandardCharsets.UTF_8);
        for (long seed = 0; seed < 1500; seed++) {
            Random random = new Random(seed);
            byte[] changed = whole.clone();
            for (int i = random.nextInt(3); i >= 0; i--) {
                changed[random.nextInt(changed.length)] = (byte) random.nextInt(256);
            }
            Files.write(folder.resolve("tokenizer_config.json"), changed);
            try {
                load().encode("<a><b>");
            } catch (YangtuoException expected) {
                assertThat(expected.getMessage()).as("seed %d", seed).startsWith(folder.toString());
            }
        }
    }

    @Test
    void tokensForWhichTheModelHasNoRowAreLeftOut() {
        added("{\"<pad>\": 3001, \"<sep>\": 3000}").config("{\"pad_token\": \"<pad>\"}");
        assertThat(load().padId()).isEqualTo(3001);
        Tokenizer tokenizer = TokenizerFiles.load(folder, 3001);
        assertThat(tokenizer.vocabSize()).isEqualTo(3001);
        assertThat(tokenizer.padId()).isEqualTo(-1);
        assertThat(TokenizerFiles.load(folder, 3000).vocabSize()).isEqualTo(SIZE);
    }

    /** As published: the model file of the adapter before, and the padding token in a file of its own. */
    @Test
    void anAdapterBringsItsAddedTokens() throws IOException {
        Path alpaca = Files.createDirectory(folder.resolve("alpaca"));
        for (String name : new String[] {"adapter_config.json", "adapter_model.safetensors"}) {
            Files.copy(ModelFolders.DEMO.resolve("alpaca-lora").resolve(name), alpaca.resolve(name));
        }
        Files.copy(ModelFolders.DEMO.resolve("chinese-lora/tokenizer.model"), alpaca.resolve("tokenizer.model"));
        Files.writeString(alpaca.resolve("added_tokens.json"), "{\"[PAD]\": 12183}");
        Files.writeString(alpaca.resolve("special_tokens_map.json"), "{\"pad_token\": \"[PAD]\"}");
        LoadOptions options = LoadOptions.defaults().lora(ModelFolders.DEMO.resolve("chinese-lora")).lora(alpaca);
        try (Llama llama = Llama.load(ModelFolders.DEMO.resolve("base"), options)) {
            assertThat(llama.tokenizer().vocabSize()).isEqualTo(llama.vocabSize()).isEqualTo(12_184);
            assertThat(llama.tokenizer().padId()).isEqualTo(12_183);
        }
    }
}
