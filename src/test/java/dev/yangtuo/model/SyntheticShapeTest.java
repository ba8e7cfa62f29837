package dev.yangtuo.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SyntheticShapeTest {
    @Test
    void publishedShapesHaveNames() {
        assertThat(SyntheticShape.of("1b")).isEqualTo(new SyntheticShape("1b", 2048, 22, 32, 4, 5632, 49_953));
        assertThat(SyntheticShape.of("7B")).isEqualTo(new SyntheticShape("7b", 4096, 32, 32, 32, 11008, 49_953));
        assertThat(SyntheticShape.of("13b")).isEqualTo(new SyntheticShape("13b", 5120, 40, 40, 40, 13824, 49_953));
    }

    @Test
    void anyShapeIsGivenByItsSizes() {
        assertThat(SyntheticShape.of("dim=64, layers=2,heads=4,kv=2,ffn=96,vocab=500"))
                .isEqualTo(new SyntheticShape("64x2-h4-kv2-f96-v500", 64, 2, 4, 2, 96, 500));
        assertThat(SyntheticShape.of("ffn=96,heads=4,dim=64,layers=2").kvHeads()).as("as many as heads unless given").isEqualTo(4);
        assertThat(SyntheticShape.of("1b").withVocabulary(32_000).name()).isEqualTo("1b-v32000");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "2b | there are tiny, 1b, 7b, 13b",
        "dim=64 | layers is missing",
        "dim=64,layers=2,heads=4 | ffn is missing",
        "dim=64,dim=64,layers=2,heads=4,ffn=96 | dim is given twice",
        "dim=0,layers=2,heads=4,ffn=96 | 'dim=0'",
        "dim=-64,layers=2,heads=4,ffn=96 | 'dim=-64'",
        "dim=64,layers=2,heads=4,ffn=96,depth=3 | 'depth=3'",
        "dim=64,layers=2,heads=5,ffn=96 | dim is 64, heads 5",
        "dim=64,layers=2,heads=4,kv=3,ffn=96 | num_key_value_heads",
        "dim=64,layers=2,heads=64,ffn=96 | head_dim is 1",
        "dim=64,layers=99999,heads=4,ffn=96 | num_hidden_layers is 99999",
        "dim=64,layers=2,heads=4,ffn=96,vocab=259 | must be 260 to 1000000",
        "dim=64,layers=2,heads=4,ffn=96,vocab=1000001 | must be 260 to 1000000"
    })
    void whatIsNoShapeIsNamed(String text, String said) {
        assertThatIllegalArgumentException().isThrownBy(() -> SyntheticShape.of(text)).withMessageContaining(said);
    }
}
