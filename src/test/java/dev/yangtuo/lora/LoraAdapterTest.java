package dev.yangtuo.lora;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.yangtuo.exception.AdapterException;
import dev.yangtuo.exception.CheckpointFormatException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class LoraAdapterTest {
    private static final Path DIRECTORY = Path.of("some", "adapter");
    private static final LoraConfig CONFIG = LoraConfigTest.parse("{\"peft_type\": \"LORA\", \"r\": 1, \"lora_alpha\": 1}");

    private static MemoryCheckpoint tensors() {
        return new MemoryCheckpoint("some/adapter/adapter_model.safetensors");
    }

    private static LoraAdapter adapter(MemoryCheckpoint tensors) {
        return adapter(CONFIG, tensors);
    }

    private static LoraAdapter adapter(LoraConfig config, MemoryCheckpoint tensors) {
        return LoraAdapter.of(new LoraRequest(DIRECTORY, 1), LoraAdapter.Format.PEFT_SAFETENSORS, config, tensors);
    }

    @ParameterizedTest
    @CsvSource({
        "base_model.model.model.layers.0.mlp.up_proj.%s.weight, model.layers.0.mlp.up_proj.weight",
        "base_model.model.model.layers.0.mlp.up_proj.%s.default.weight, model.layers.0.mlp.up_proj.weight",
        "model.layers.0.mlp.up_proj.%s.weight, model.layers.0.mlp.up_proj.weight",
        "layers.0.mlp.up_proj.%s.weight, model.layers.0.mlp.up_proj.weight",
        "base_model.model.layers.0.mlp.up_proj.%s.weight, model.layers.0.mlp.up_proj.weight",
        "base_model.model.lm_head.%s.weight, lm_head.weight",
        "base_model.model.model.layers.0.mlp.up_proj.%s.my_adapter.weight, model.layers.0.mlp.up_proj.weight",
        "base_model.model.model.embed_tokens.base_layer.%s.weight, model.embed_tokens.weight",
    })
    void understandsTheSpellingsOfALora(String key, String parameter) {
        LoraAdapter adapter = adapter(tensors().with(key.formatted("lora_B"), 2, 1, 1, 2).with(key.formatted("lora_A"), 1, 3, 1, 2, 3));
        assertThat(adapter.parameters()).containsExactly(parameter);
        LoraDelta delta = (LoraDelta) adapter.changes(parameter).getFirst();
        assertThat(delta.rows()).isEqualTo(2);
        assertThat(delta.columns()).isEqualTo(3);
    }

    @ParameterizedTest
    @CsvSource({
        "base_model.model.model.embed_tokens.weight, model.embed_tokens.weight",
        "base_model.model.model.embed_tokens.modules_to_save.default.weight, model.embed_tokens.weight",
        "base_model.model.model.embed_tokens.modules_to_save.weight, model.embed_tokens.weight",
        "base_model.model.model.embed_tokens.base_layer.weight, model.embed_tokens.weight",
        "base_model.model.embed_tokens.weight, model.embed_tokens.weight",
        "embed_tokens.weight, model.embed_tokens.weight",
        "model.embed_tokens.weight, model.embed_tokens.weight",
        "lm_head.weight, lm_head.weight",
        "base_model.model.lm_head.modules_to_save.default.weight, lm_head.weight",
        "base_model.model.model.norm.weight, model.norm.weight",
        "base_model.model.norm.weight, model.norm.weight",
        "base_model.model.lm_head.modules_to_save.my_adapter.weight, lm_head.weight",
        "base_model.model.model.layers.0.self_attn.modules_to_save.default.q_proj.weight, model.layers.0.self_attn.q_proj.weight",
        "base_model.model.model.layers.0.mlp.modules_to_save.down_proj.weight, model.layers.0.mlp.down_proj.weight",
        "base_model.model.model.embed_tokens.token_adapter.base_layer.weight, model.embed_tokens.weight",
        "base_model.model.model.layers.1.mlp.down_proj.modules_to_save.default.weight, model.layers.1.mlp.down_proj.weight",
    })
    void understandsTheSpellingsOfAWholeMatrix(String key, String parameter) {
        LoraAdapter adapter = adapter(tensors().with(key, 2, 2, 1, 2, 3, 4));
        assertThat(adapter.parameters()).containsExactly(parameter);
        assertThat(adapter.changes(parameter)).singleElement().isInstanceOf(Replacement.class);
    }

    @Test
    void ignoresFrozenOriginalsAndRotaryFrequencies() {
        LoraAdapter adapter = adapter(tensors()
                .with("base_model.model.model.embed_tokens.original_module.weight", 1, 1, 1)
                .with("base_model.model.model.layers.0.self_attn.rotary_emb.inv_freq", List.of(4L), 1, 2, 3, 4)
                .withUnreadable("base_model.model.model.layers.1.self_attn.rotary_emb.inv_freq", "F64")
                .with("base_model.model.model.embed_tokens.modules_to_save.weight", 2, 1, 1, 2));
        assertThat(adapter.parameters()).containsExactly("model.embed_tokens.weight");
        assertThat(adapter.embeddingRows()).hasValue(2);
        assertThat(adapter.outputRows()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "base_model.model.model.layers.0.mlp.up_proj.lora_A.a.b.weight | is not understood: expected base_model.model.<module>.lora_A.weight",
        "base_model.model.model.layers.0.mlp.up_proj.lora_A | is not understood",
        "base_model.model.model.layers.0.mlp.up_proj.lora_A.bias | is not understood",
        "base_model.model.model.layers.0.mlp.up_proj.lora_A..weight | is not understood",
        "base_model.model.model.layers.0.mlp.up_proj.lora_B.weight.scales | is not understood",
        "base_model.model.model.layers.0.mlp.up_proj.lora_diag.default | is not understood",
        "base_model.model.model.embed_tokens.token_adapter.trainable_tokens_delta.a.b | is not understood",
        "base_model.model.lm_head.modules_to_save.scale | is not understood",
        "base_model.model.lm_head.modules_to_save | is not understood",
        "base_model.model.model.layers.0.mlp.up_proj.weight.absmax | is not understood",
        "base_model.model.base_model.model.lm_head.weight | is not understood",
        "base_model.model..weight | is not understood",
        ".weight | is not understood",
        "weight | is not understood",
        "lora_A.weight | is not understood",
        "base_model.model.a..b.weight | is not understood",
    })
    void refusesOtherKeysByName(String key, String problem) {
        MemoryCheckpoint tensors = tensors().with("lm_head.weight", 1, 1, 1).with(key, 1, 1, 1);
        assertThatThrownBy(() -> adapter(tensors))
                .isInstanceOf(AdapterException.class)
                .hasMessageContaining("adapter_model.safetensors: tensor '" + key + "'")
                .hasMessageContaining(problem);
        assertThat(tensors.closed).isTrue();
    }

    @Test
    void namesBothSpellingsOfTheSameTensor() {
        assertThatThrownBy(() -> adapter(tensors().with("lm_head.weight", 1, 1, 1).with("lm_head.modules_to_save.weight", 1, 1, 1)))
                .isInstanceOf(AdapterException.class)
                .hasMessageContaining("tensors 'lm_head.weight' and 'lm_head.modules_to_save.weight' mean the same");
    }

    @Test
    void severalAdaptersInOneFileAreNamed() {
        assertThatThrownBy(() -> adapter(tensors()
                        .with("q.lora_A.one.weight", 1, 1, 1).with("q.lora_B.one.weight", 1, 1, 1)
                        .with("v.lora_A.two.weight", 1, 1, 1).with("v.lora_B.two.weight", 1, 1, 1)))
                .isInstanceOf(AdapterException.class)
                .hasMessageContaining("it holds 2 adapters ('one', 'two'), expected one");
    }

    @Test
    void namesTheHalfThatIsMissing() {
        assertThatThrownBy(() -> adapter(tensors().with("q.lora_A.weight", 1, 2, 1, 2)))
                .isInstanceOf(AdapterException.class)
                .hasMessageContaining("tensor 'q.lora_A.weight' has no lora_B beside it");
        assertThatThrownBy(() -> adapter(tensors().with("q.lora_B.weight", 2, 1, 1, 2)))
                .isInstanceOf(AdapterException.class)
                .hasMessageContaining("tensor 'q.lora_B.weight' has no lora_A beside it");
    }

    @Test
    void namesBothHalvesWhoseRanksDiffer() {
        assertThatThrownBy(() -> adapter(tensors().with("q.lora_A.weight", 2, 1, 1, 2).with("q.lora_B.weight", 1, 3, 1, 2, 3)))
                .isInstanceOf(AdapterException.class)
                .hasMessageContaining("the ranks of 'q.lora_A.weight' [2, 1] and 'q.lora_B.weight' [1, 3] differ");
    }

    @Test
    void refusesShapesThatAreNoMatrix() {
        assertThatThrownBy(() -> adapter(tensors().with("q.lora_A.weight", List.of(2L), 1, 2)))
                .hasMessageContaining("tensor 'q.lora_A.weight' has shape [2], expected a matrix");
        assertThatThrownBy(() -> adapter(tensors().with("q.lora_A.weight", List.of(1L, 1L, 1L), 1)))
                .hasMessageContaining("has shape [1, 1, 1], expected a matrix");
        assertThatThrownBy(() -> adapter(tensors().with("q.lora_A.weight", List.of(0L, 4L)))).hasMessageContaining("expected sizes from 1");
        assertThatThrownBy(() -> adapter(tensors().with("q.weight", List.of(), 1))).hasMessageContaining("has shape [], expected a matrix");
    }

    @Test
    void refusesARankThatNoModelHas() {
        assertThatThrownBy(() -> adapter(tensors().with("q.lora_A.weight", 70_000, 1, new float[70_000]).with("q.lora_B.weight", 1, 70_000, new float[70_000])))
                .isInstanceOf(AdapterException.class)
                .hasMessageContaining("tensor 'q.lora_A.weight' has shape [70000, 1]: a rank of more than 65536");
    }

    @Test
    void refusesTypesThatItCannotRead() {
        assertThatThrownBy(() -> adapter(tensors().with("lm_head.weight", 1, 1, 1).withUnreadable("q.lora_A.weight", "I64")))
                .isInstanceOf(AdapterException.class)
                .hasMessageContaining("tensor 'q.lora_A.weight' is of type I64, which is not supported");
    }

    @Test
    void refusesAFileWithoutTensorsOfAnAdapter() {
        assertThatThrownBy(() -> adapter(tensors().with("rotary_emb.inv_freq", List.of(1L), 1))).hasMessageContaining("holds no tensor of an adapter");
    }

    @Test
    void notesRanksAndModulesThatDifferFromTheConfiguration() {
        LoraConfig config = LoraConfigTest.parse("{\"peft_type\": \"LORA\", \"r\": 2, \"lora_alpha\": 6, \"modules_to_save\": [\"embed_tokens\", \"lm_head\"]}");
        LoraAdapter adapter = adapter(config, tensors()
                .with("lm_head.weight", 1, 1, 1).random("a.lora_A.weight", 3, 1, new Random(1)).random("a.lora_B.weight", 1, 3, new Random(2)));
        assertThat(adapter.notes()).containsExactly(
                "1 of 1 matrices have another rank than adapter_config.json says ('a': rank 3 instead of 2); the matrices' own is used",
                "modules_to_save of adapter_config.json names 'embed_tokens', but no tensor of it is there");
        assertThat(((LoraDelta) adapter.changes("a.weight").getFirst()).scale()).isEqualTo(2f);
    }

    @Test
    void aScaleThatIsNoFloatIsRefused() {
        LoraConfig config = LoraConfigTest.parse("{\"peft_type\": \"LORA\", \"r\": 1, \"lora_alpha\": 1e300}");
        assertThatThrownBy(() -> adapter(config, tensors().with("a.lora_A.weight", 1, 1, 1).with("a.lora_B.weight", 1, 1, 1)))
                .isInstanceOf(AdapterException.class)
                .hasMessageContaining("the scale of 'a' is out of range");
    }

    @Test
    void patternsThatTakeForeverAreRefused() {
        String hostile = "((a*)*(a*)*(a*)*){90000}b";
        LoraConfig config = LoraConfigTest.parse("{\"peft_type\": \"LORA\", \"rank_pattern\": {\"%s\": 1}}".formatted(hostile));
        MemoryCheckpoint tensors = tensors();
        for (int i = 0; i < 300; i++) {
            String name = "a".repeat(3000) + i;
            tensors.with(name + ".lora_A.weight", 1, 1, 1).with(name + ".lora_B.weight", 1, 1, 1);
        }
        assertThatThrownBy(() -> adapter(config, tensors))
                .isInstanceOf(AdapterException.class)
                .hasMessageContaining("take too long to match");
    }

    @Test
    void opensADirectory() throws Exception {
        Path directory = Path.of(LoraAdapterTest.class.getResource("/models/tiny/plain").toURI());
        try (LoraAdapter adapter = LoraAdapter.open(directory)) {
            assertThat(adapter.parameters()).hasSize(21);
            assertThat(adapter.path()).isEqualTo(directory);
            assertThat(adapter.tokenizerModel()).isNull();
            assertThat(adapter.notes()).isEmpty();
            adapter.close();
        }
    }

    @Test
    void saysWhatIsMissingInADirectory(@TempDir Path directory) throws IOException {
        assertThatThrownBy(() -> LoraAdapter.open(directory.resolve("none")))
                .isInstanceOf(AdapterException.class)
                .hasMessageContaining("there is no such directory or file");
        assertThatThrownBy(() -> LoraAdapter.open(directory))
                .isInstanceOf(AdapterException.class)
                .hasMessageContaining("adapter_config.json is missing");
        Path config = Files.writeString(directory.resolve("adapter_config.json"), "{\"peft_type\": \"LORA\"}");
        assertThatThrownBy(() -> LoraAdapter.open(config)).isInstanceOf(AdapterException.class).hasMessageContaining("is a file, but not GGUF; expected the directory");
        assertThatThrownBy(() -> LoraAdapter.open(directory))
                .isInstanceOf(AdapterException.class)
                .hasMessageContaining("adapter_model.safetensors (or adapter_model.bin) is missing");
        Files.writeString(directory.resolve("adapter_model.bin"), "PK");
        assertThatThrownBy(() -> LoraAdapter.open(directory)).isInstanceOf(CheckpointFormatException.class).hasMessageContaining("adapter_model.bin");
        Files.writeString(directory.resolve("tokenizer.model"), "x");
        Files.writeString(directory.resolve("adapter_model.safetensors"), "x");
        assertThatThrownBy(() -> LoraAdapter.open(directory)).isInstanceOf(CheckpointFormatException.class);
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 8, 100, 5551, 5552, 5560, 50095})
    void aTruncatedFileIsAnErrorThatNamesIt(long length, @TempDir Path directory) throws Exception {
        Path original = Path.of(LoraAdapterTest.class.getResource("/models/tiny/plain").toURI());
        Files.copy(original.resolve("adapter_config.json"), directory.resolve("adapter_config.json"));
        byte[] whole = Files.readAllBytes(original.resolve("adapter_model.safetensors"));
        Files.write(directory.resolve("adapter_model.safetensors"), Arrays.copyOf(whole, (int) length));
        assertThatThrownBy(() -> LoraAdapter.open(directory))
                .isInstanceOf(CheckpointFormatException.class)
                .hasMessageContaining("adapter_model.safetensors");
    }
}
