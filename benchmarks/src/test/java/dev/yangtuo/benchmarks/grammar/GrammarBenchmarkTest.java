package dev.yangtuo.benchmarks.grammar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.yangtuo.tokenizer.Tokenizer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class GrammarBenchmarkTest {
    private static GrammarBenchmark.Prepared prepared(String grammar) {
        GrammarBenchmark.Prepared prepared = new GrammarBenchmark.Prepared();
        prepared.vocabulary = "made-3000";
        prepared.grammar = grammar;
        return prepared;
    }

    @ParameterizedTest
    @ValueSource(strings = {"json", "schema", "regex", "gbnf"})
    void setsAreVerified(String grammar) {
        assertThatCode(prepared(grammar)::open).doesNotThrowAnyException();
    }

    @Test
    void otherGrammarsAreRefused() {
        assertThatIllegalArgumentException().isThrownBy(prepared("yaml")::open).withMessageContaining("grammar yaml");
    }

    @Test
    void madeVocabulariesHaveTheirSize() {
        for (int size : new int[] {32_000, 49_953}) {
            Tokenizer tokenizer = MadeVocabulary.of(size);
            assertThat(tokenizer.vocabSize()).isEqualTo(size);
            assertThat(tokenizer.encode("é").length).isGreaterThan(1);
        }
    }
}
