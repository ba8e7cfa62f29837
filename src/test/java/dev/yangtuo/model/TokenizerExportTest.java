package dev.yangtuo.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.yangtuo.Llama;
import dev.yangtuo.LoadOptions;
import dev.yangtuo.ModelFolders;
import dev.yangtuo.checkpoint.GgufCheckpoint;
import dev.yangtuo.exception.YangtuoException;
import dev.yangtuo.tokenizer.PieceType;
import dev.yangtuo.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tokenizers of exported models encode and decode as those that they come from, in both formats and back. */
class TokenizerExportTest {
    private static final Path MADE = Path.of("src/test/resources/tokenizer/models");
    private static final int ROWS = 3000;
    private static final List<String> TEXTS = List.of("", " ", "In the beginning God created", "  two  spaces\n\ttab  ", "《静夜思》李白\n床前明月光，疑是地上霜。",
            "ﬁne Ｆｕｌｌ １２３ ①", "🦙\u0000\u200b", "a".repeat(300), "x<|turn|>y [A B] z", "<s></s><unk>", "▁▁", "a<x y>b");

    @TempDir
    private Path folder;

    private Path model;

    @BeforeEach
    void copyTheTinyModel() throws IOException {
        model = Files.createDirectory(folder.resolve("model"));
        for (String file : List.of("config.json", "model.safetensors", "tokenizer.model")) {
            Files.copy(ModelFolders.tiny("base").resolve(file), model.resolve(file));
        }
    }

    private static void assertSame(Tokenizer actual, Tokenizer expected) {
        assertThat(actual.vocabSize()).isEqualTo(expected.vocabSize());
        assertThat(actual.model().special()).isEqualTo(expected.model().special());
        for (int id = 0; id < expected.vocabSize(); id++) {
            assertThat(actual.piece(id)).isEqualTo(expected.piece(id));
            assertThat(actual.score(id)).as(expected.piece(id)).isEqualTo(expected.score(id));
            // A user-defined piece with a space instead of the symbol for one is never found in text.
            boolean never = expected.type(id) == PieceType.USER_DEFINED && expected.piece(id).contains(" ");
            assertThat(actual.type(id)).as(expected.piece(id)).isIn(expected.type(id), never ? PieceType.UNUSED : expected.type(id));
        }
        for (String text : TEXTS) {
            int[] ids = expected.encode(text);
            assertThat(actual.encode(text)).as(text).isEqualTo(ids);
            assertThat(actual.decode(ids)).as(text).isEqualTo(expected.decode(ids));
        }
    }

    private void assertKeptBothWays() {
        Tokenizer expected = TokenizerFiles.load(model, ROWS);
        Path gguf = folder.resolve("m.gguf");
        Path directory = folder.resolve("directory");
        Llama.convert(model, gguf, LoadOptions.defaults());
        assertSame(Llama.loadTokenizer(gguf), expected);
        Llama.convert(gguf, directory, LoadOptions.defaults());
        assertSame(Llama.loadTokenizer(directory), expected);
        try (Llama llama = Llama.load(directory)) {
            assertSame(llama.tokenizer(), expected);
        }
        Path copied = folder.resolve("copied");
        Llama.convert(model, copied, LoadOptions.defaults());
        assertThat(copied.resolve("tokenizer.model")).hasSameBinaryContentAs(model.resolve("tokenizer.model"));
        assertSame(Llama.loadTokenizer(copied), expected);
    }

    @ParameterizedTest
    @ValueSource(strings = {"bpe-identity", "bpe-nfkc", "unigram-nfkc-cf", "unigram-rules"})
    void tokenizersOfEveryNormalizerAreKept(String name) throws IOException {
        Files.delete(model.resolve("tokenizer.model"));
        Files.copy(MADE.resolve(name + ".model"), model.resolve("tokenizer.model"));
        assertKeptBothWays();
    }

    @Test
    void tokenizerOfTheModelIsKept() {
        assertKeptBothWays();
    }

    @Test
    void addedTokensAndTheirSpecialIdsAreKept() throws IOException {
        enlargeNothingButTheTokenizer();
        Files.writeString(model.resolve("added_tokens.json"), "{\"<|turn|>\": %d, \"[A B]\": %d}".formatted(pieces(), pieces() + 1));
        Files.writeString(model.resolve("tokenizer_config.json"), """
                {"add_bos_token": false, "add_eos_token": true, "eos_token": "<|turn|>", "pad_token": {"content": "<unk>"},
                 "added_tokens_decoder": {"%d": {"content": "[A B]", "special": false}}}""".formatted(pieces() + 1));
        Tokenizer before = TokenizerFiles.load(model, ROWS);
        assertThat(before.type(pieces())).isEqualTo(PieceType.CONTROL);
        assertThat(before.type(pieces() + 1)).isEqualTo(PieceType.USER_DEFINED);
        assertThat(before.eosId()).isEqualTo(pieces());
        assertKeptBothWays();
        try (GgufCheckpoint checkpoint = GgufCheckpoint.open(folder.resolve("m.gguf"))) {
            String[] tokens = checkpoint.metadata().strings("tokenizer.ggml.tokens");
            assertThat(tokens).hasSize(ROWS).endsWith("[PAD2999]");
            assertThat(tokens[pieces() + 1]).as("spaces as text has them").isEqualTo("[A B]");
            assertThat(checkpoint.metadata().integers("tokenizer.ggml.token_type")).endsWith(5);
        }
    }

    /** A tokenizer with fewer pieces than the model has rows. */
    private void enlargeNothingButTheTokenizer() throws IOException {
        Files.delete(model.resolve("tokenizer.model"));
        Files.copy(MADE.resolve("bpe-identity.model"), model.resolve("tokenizer.model"));
    }

    private static int pieces() {
        return Tokenizer.load(MADE.resolve("bpe-identity.model")).vocabSize();
    }

    @ParameterizedTest
    @ValueSource(strings = {"bpe-nmt-nfkc-cf", "unigram-suffix"})
    void whatGgufCannotSayIsRefused(String name) throws IOException {
        Files.delete(model.resolve("tokenizer.model"));
        Files.copy(MADE.resolve(name + ".model"), model.resolve("tokenizer.model"));
        assertThatThrownBy(() -> Llama.convert(model, folder.resolve("m.gguf"), LoadOptions.defaults()))
                .isInstanceOf(YangtuoException.class).hasMessageContaining("treat_whitespace_as_suffix").hasMessageContaining("directory");
        assertThat(folder.resolve("m.gguf")).doesNotExist();
    }

    @Test
    void everythingThatBelongsToATokenizerIsCopied() throws IOException {
        for (String name : List.of("special_tokens_map.json", "tokenizer_config.json", "tokenizer.json", "chat_template.jinja")) {
            Files.writeString(model.resolve(name), "{}");
        }
        Files.writeString(model.resolve("README.md"), "other");
        Path output = folder.resolve("copied");
        Llama.convert(model, output, LoadOptions.defaults());
        assertThat(output).isDirectoryContaining("glob:**/special_tokens_map.json").isDirectoryContaining("glob:**/tokenizer.json")
                .isDirectoryContaining("glob:**/chat_template.jinja").isDirectoryNotContaining("glob:**/README.md");
        assertThat(output.resolve("tokenizer_config.json")).hasContent("{}");
    }
}
