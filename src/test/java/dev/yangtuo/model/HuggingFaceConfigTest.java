package dev.yangtuo.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.yangtuo.exception.CheckpointFormatException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class HuggingFaceConfigTest {
    private static final String REQUIRED =
            "\"hidden_size\": 64, \"num_attention_heads\": 4, \"intermediate_size\": 96, \"num_hidden_layers\": 3, \"vocab_size\": 3000";

    @TempDir
    private Path folder;

    private ModelConfig read(String fields) throws IOException {
        return HuggingFaceConfig.read(Files.writeString(folder.resolve("config.json"), "{" + fields + "}"));
    }

    @Test
    void whatIsLeftOutHasItsDefault() throws IOException {
        ModelConfig config = read(REQUIRED);
        assertThat(config).isEqualTo(new ModelConfig(64, 96, 3, 4, 4, 16, 3000, 2048, 1e-6f, RopeConfig.plain(10_000f), SlidingWindow.NONE, false, List.of()));
    }

    @Test
    void everyFieldIsRead() throws IOException {
        ModelConfig config = read(REQUIRED + """
                , "model_type": "llama", "hidden_act": "silu", "num_key_value_heads": 2, "head_dim": 32, "max_position_embeddings": 77,
                "rms_norm_eps": 1e-5, "rope_theta": 500000, "tie_word_embeddings": true, "eos_token_id": [2, 7, -1],
                "rope_scaling": {"type": "linear", "factor": 4.0}, "attention_bias": false, "mlp_bias": false, "sliding_window": null,
                "quantization_config": null, "partial_rotary_factor": 1.0, "some_future_field": {"a": []}
                """);
        assertThat(config).isEqualTo(new ModelConfig(64, 96, 3, 4, 2, 32, 3000, 77, 1e-5f, new RopeConfig(500_000f, new RopeScaling.Linear(4)), SlidingWindow.NONE, true,
                List.of(2, 7)));
        assertThat(config.qDim()).isEqualTo(128);
        assertThat(config.kvDim()).isEqualTo(64);
    }

    @Test
    void newerRopeParametersAreRead() throws IOException {
        ModelConfig config = read(REQUIRED + ", \"rope_parameters\": {\"rope_type\": \"linear\", \"factor\": 2, \"rope_theta\": 1000.0}");
        assertThat(config.rope()).isEqualTo(new RopeConfig(1000, new RopeScaling.Linear(2)));
        assertThat(read(REQUIRED + ", \"rope_parameters\": {\"rope_type\": \"default\", \"rope_theta\": 5.0}").rope()).isEqualTo(RopeConfig.plain(5));
        assertThat(read(REQUIRED + ", \"eos_token_id\": 5").eosIds()).containsExactly(5);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "\"quantization_config\": {\"bits\": 4} | quantization_config",
        "\"rope_scaling\": {\"type\": \"linear\"} | factor",
        "\"rope_scaling\": {\"factor\": 2} | factor",
        "\"rope_scaling\": {\"type\": \"linear\", \"factor\": 0} | factor",
        "\"rope_scaling\": {\"type\": \"linear\", \"factor\": -1} | factor",
        "\"rope_scaling\": \"linear\" | rope_scaling",
        "\"partial_rotary_factor\": 0.5 | partial_rotary_factor",
        "\"model_type\": \"qwen2\" | qwen2",
        "\"model_type\": 3 | model_type",
        "\"hidden_act\": \"gelu\" | gelu",
        "\"num_key_value_heads\": 3 | num_key_value_heads",
        "\"num_key_value_heads\": 8 | num_key_value_heads",
        "\"num_key_value_heads\": 0 | num_key_value_heads",
        "\"head_dim\": 15 | head_dim",
        "\"head_dim\": 0 | head_dim",
        "\"head_dim\": 2048 | head_dim",
        "\"max_position_embeddings\": 0 | max_position_embeddings",
        "\"max_position_embeddings\": \"512\" | max_position_embeddings",
        "\"max_position_embeddings\": 1e300 | max_position_embeddings",
        "\"max_position_embeddings\": 2.5 | max_position_embeddings",
        "\"rms_norm_eps\": -1 | rms_norm_eps",
        "\"rms_norm_eps\": 1e300 | rms_norm_eps",
        "\"rms_norm_eps\": \"1e-5\" | rms_norm_eps",
        "\"rope_theta\": 0 | rope_theta",
        "\"rope_theta\": [1] | rope_theta",
        "\"tie_word_embeddings\": 1 | tie_word_embeddings",
        "\"eos_token_id\": \"2\" | eos_token_id",
        "\"eos_token_id\": [2.5] | eos_token_id",
        "\"eos_token_id\": [[2]] | eos_token_id",
    })
    void whatCannotBeComputedIsRefusedByName(String field, String name) {
        assertThatThrownBy(() -> read(REQUIRED + ", " + field))
                .isInstanceOf(CheckpointFormatException.class)
                .hasMessageContaining("config.json")
                .hasMessageContaining(name);
    }

    @ParameterizedTest
    @ValueSource(strings = {"hidden_size", "num_attention_heads", "intermediate_size", "num_hidden_layers", "vocab_size"})
    void whatIsRequiredIsMissedByName(String field) {
        for (String value : List.of("null", "0", "-1", "\"1\"", "3.5", "true", "[]", "99999999999", "-2147483648")) {
            String fields = REQUIRED.replaceAll("\"" + field + "\": \\d+", "\"" + field + "\": " + value);
            assertThatThrownBy(() -> read(fields)).as("%s: %s", field, value)
                    .isInstanceOf(CheckpointFormatException.class).hasMessageContaining("config.json");
        }
        assertThatThrownBy(() -> read(REQUIRED.replace(field, "x"))).isInstanceOf(CheckpointFormatException.class).hasMessageContaining(field);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "[]", "{", "{} {}", "null", "{\"a\": 1, \"a\": 2}", "\u0000"})
    void whatIsNoObjectIsRefused(String text) throws IOException {
        Path file = Files.writeString(folder.resolve("config.json"), text);
        assertThatThrownBy(() -> HuggingFaceConfig.read(file)).isInstanceOf(CheckpointFormatException.class).hasMessageContaining("config.json");
    }
}
