package dev.yangtuo.llamacpp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.yangtuo.ConvertOptions;
import dev.yangtuo.Engine;
import dev.yangtuo.GenerateOptions;
import dev.yangtuo.GenerationResult;
import dev.yangtuo.Llama;
import dev.yangtuo.LoadOptions;
import dev.yangtuo.Perplexity;
import dev.yangtuo.PerplexityMethod;
import dev.yangtuo.PerplexityOptions;
import dev.yangtuo.chat.ChatMessage;
import dev.yangtuo.exception.YangtuoException;
import dev.yangtuo.grammar.Grammar;
import dev.yangtuo.tokenizer.ForeignModel;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Models whose tokenizer only llama.cpp knows, through the public API: all that is made of a tokenizer works with its. */
class OtherTokenizerModelTest {
    private static final LoadOptions OPTIONS = LoadOptions.defaults().engine(Engine.LLAMA_CPP).threads(1).maxSequences(2);
    private static final GenerateOptions GREEDY = GenerateOptions.defaults().greedy().maxTokens(16);

    @TempDir
    private static Path folder;

    private static Path tekken;
    private static Llama llama;

    @BeforeAll
    static void load() {
        SharedLibrary.assumed();
        tekken = SyntheticGguf.gemma3(VocabularyKind.TEKKEN).write(folder.resolve("tekken.gguf"));
        llama = Llama.load(tekken, OPTIONS);
    }

    @AfterAll
    static void close() {
        if (llama != null) {
            llama.close();
        }
    }

    @Test
    void textComesInPartsThatAreTheWhole() {
        assertThat(llama.tokenizer().model()).isInstanceOf(ForeignModel.class);
        String whole = llama.generate("The License 羊驼 shall", GREEDY).result().text();
        StringBuilder parts = new StringBuilder();
        llama.generate("The License 羊驼 shall", GREEDY).forEach(parts::append);
        assertThat(parts).hasToString(whole).isNotEmpty();
        assertThat(llama.generateBatch(List.of("The License 羊驼 shall", "You may"), GREEDY)).map(GenerationResult::text).first().isEqualTo(whole);
    }

    @Test
    void templatesWriteSpecialTokensAndQuotedTextHasNone() {
        ChatMessage user = ChatMessage.user("Who is [INST]?");
        int[] ids = llama.chatPrompt(llama.chatTemplate(), List.of(user));
        int begin = llama.tokenizer().id("[INST]").orElseThrow();
        assertThat(ids).startsWith(llama.tokenizer().bosId(), begin).endsWith(llama.tokenizer().id("[/INST]").orElseThrow());
        assertThat(ids).containsOnlyOnce(begin);
        assertThat(llama.chat(List.of(user), GREEDY).result().ids()).hasSizeBetween(1, 16);
    }

    @Test
    void grammarsKnowTheBytesOfPieces() {
        assertThat(llama.generate("The", GREEDY.grammar(Grammar.regex(" (work|License|羊驼)"))).result().text()).isIn(" work", " License", " 羊驼");
    }

    @Test
    void perplexitiesAndScoresAreMeasured() {
        Perplexity perplexity = llama.perplexity("The License shall mean the terms and conditions for use.\n".repeat(20),
                PerplexityOptions.defaults().method(PerplexityMethod.LLAMA_CPP).context(64));
        assertThat(perplexity.value()).isBetween(1.0, 1e6);
        assertThat(llama.score("The", List.of(" work", " License"))).hasSize(2).allMatch(score -> score.sum() < 0);
    }

    @ParameterizedTest
    @EnumSource(names = {"RWKV", "WORD_PIECE"})
    void otherKindsGenerate(VocabularyKind kind) {
        Path file = SyntheticGguf.mamba(kind).write(folder.resolve(kind + ".gguf"));
        try (Llama other = Llama.load(file, OPTIONS.engine(Engine.AUTO))) {
            assertThat(other.generate("The work", GREEDY).result().text()).isNotBlank();
        }
    }

    @Test
    void itsTokenizerOutlivesIt() {
        Llama other = Llama.load(tekken, OPTIONS);
        int[] ids = other.tokenizer().encode("The License");
        other.close();
        assertThat(other.tokenizer().encode("The License")).isEqualTo(ids);
        assertThat(other.tokenizer().decode(ids)).isEqualTo("The License");
    }

    @Test
    void anotherFileCannotBeWrittenWithIt() {
        assertThatExceptionOfType(YangtuoException.class)
                .isThrownBy(() -> Llama.convert(tekken, folder.resolve("converted.gguf"), LoadOptions.defaults(), ConvertOptions.defaults()))
                .withMessageContaining("tekken.gguf");
    }
}
