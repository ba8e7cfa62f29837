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
        assertThat(config)
                .isEqualTo(new ModelConfig(64, 96, 3, 4, 4, 16, 3000, 2048, 1e-6f, RopeConfig.plain(10_000f), SlidingWindow.NONE, false, List.of()));
    }

    @Test
    void everyFieldIsRead() throws IOException {
        ModelConfig config = read(REQUIRED + """
                , "model_type": "llama", "hidden_act": "silu", "num_key_value_heads": 2, "head_dim": 32, "max_position_embeddings": 77,
                "rms_norm_eps": 1e-5, "rope_theta": 500000, "tie_word_embeddings": true, "eos_token_id": [2, 7, -1],
                "rope_scaling": {"type": "linear", "factor": 4.0}, "attention_bias": false, "mlp_bias": false, "sliding_window": null,
                "quantization_config": null, "partial_rotary_factor": 1.0, "some_future_field": {"a": []}
                """);
        assertThat(config)
                .isEqualTo(new ModelConfig(64, 96, 3, 4, 2, 32, 3000, 77, 1e-5f,
                new RopeConfig(500_000f, new RopeScaling.Linear(4)), SlidingWindow.NONE, true, List.of(2, 7)));
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

    private static final String LLAMA3 = "'rope_type': 'llama3', 'factor': 8, 'low_freq_factor': 1, 'high_freq_factor': 4";

    private RopeScaling scaling(String field) throws IOException {
        return read(REQUIRED + ", " + field.replace('\'', '"')).rope().scaling();
    }

    @Test
    void everyRopeScalingIsRead() throws IOException {
        assertThat(scaling("'rope_scaling': {'type': 'dynamic', 'factor': 2}")).isEqualTo(new RopeScaling.Dynamic(2, 2048));
        assertThat(scaling("'original_max_position_embeddings': 100, 'rope_scaling': {'type': 'dynamic', 'factor': 2}"))
                .isEqualTo(new RopeScaling.Dynamic(2, 100));
        assertThat(scaling("'rope_scaling': {'type': 'ntk', 'factor': 4}")).isEqualTo(new RopeScaling.Ntk(4));
        assertThat(scaling("'rope_scaling': {'type': 'ntk', 'alpha': 2.5}")).isEqualTo(new RopeScaling.Ntk(2.5f));
        assertThat(scaling("'rope_scaling': {'type': 'default'}")).isEqualTo(RopeScaling.NONE);
        assertThat(scaling("'rope_scaling': {}")).isEqualTo(RopeScaling.NONE);
        assertThat(scaling("'rope_scaling': {" + LLAMA3 + ", 'original_max_position_embeddings': 8192}"))
                .isEqualTo(new RopeScaling.Llama3(8, 1, 4, 8192));
        assertThat(scaling("'rope_parameters': {'rope_theta': 500000, " + LLAMA3 + ", 'original_max_position_embeddings': 8192}"))
                .isEqualTo(new RopeScaling.Llama3(8, 1, 4, 8192));
    }

    @Test
    void yarnIsReadWithWhateverSaysItsAttentionFactor() throws IOException {
        String start = "'rope_scaling': {'rope_type': 'yarn', 'factor': 4, 'original_max_position_embeddings': 512";
        RopeScaling.Yarn usual = new RopeScaling.Yarn(4, 512, (float) (0.1 * Math.log(4) + 1), 32, 1, true);
        assertThat(scaling(start + "}")).isEqualTo(usual);
        assertThat(scaling("'rope_scaling': {'type': 'yarn', 'factor': 4}")).isEqualTo(RopeScaling.Yarn.of(4, 2048));
        assertThat(scaling("'rope_scaling': {'type': 'yarn', 'original_max_position_embeddings': 512}")).as("2048 by 512").isEqualTo(usual);
        assertThat(scaling(start + ", 'attention_factor': 1.5, 'beta_fast': 24, 'beta_slow': 2, 'truncate': false}"))
                .isEqualTo(new RopeScaling.Yarn(4, 512, 1.5f, 24, 2, false));
        assertThat(scaling(start + ", 'mscale': 1, 'mscale_all_dim': 1}")).isEqualTo(new RopeScaling.Yarn(4, 512, 1, 32, 1, true));
        assertThat(scaling(start + ", 'mscale': 0.707, 'mscale_all_dim': 0.5}"))
                .isEqualTo(new RopeScaling.Yarn(4, 512, (float) ((0.1 * 0.707f * Math.log(4) + 1) / (0.1 * 0.5f * Math.log(4) + 1)), 32, 1, true));
        assertThat(scaling(start + ", 'attn_factor': 2}")).isEqualTo(new RopeScaling.Yarn(4, 512, 2 * usual.attentionFactor(), 32, 1, true));
    }

    private List<Integer> windows(String fields) throws IOException {
        ModelConfig config = read(REQUIRED + ", " + fields.replace('\'', '"'));
        return List.of(config.windowOf(0), config.windowOf(1), config.windowOf(2));
    }

    @Test
    void slidingWindowsAreRead() throws IOException {
        assertThat(windows("'sliding_window': 4096, 'model_type': 'mistral'")).containsExactly(4096, 4096, 4096);
        assertThat(windows("'sliding_window': 4096, 'use_sliding_window': false")).containsExactly(0, 0, 0);
        assertThat(windows("'sliding_window': null, 'use_sliding_window': false")).containsExactly(0, 0, 0);
        assertThat(windows("'sliding_window': 7, 'use_sliding_window': true, 'max_window_layers': 2")).containsExactly(0, 0, 7);
        assertThat(windows("'sliding_window': 7, 'max_window_layers': 28")).containsExactly(0, 0, 0);
        assertThat(windows("'sliding_window': 7, 'layer_types': ['sliding_attention', 'full_attention', 'sliding_attention'], 'max_window_layers': 3"))
                .containsExactly(7, 0, 7);
        assertThat(windows("'layer_types': ['full_attention', 'full_attention', 'full_attention']")).containsExactly(0, 0, 0);
        assertThat(read(REQUIRED + ", \"sliding_window\": 7, \"max_window_layers\": 3").window()).isEqualTo(SlidingWindow.NONE);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "\"sliding_window\": 0 | \"sliding_window\" is 0, must be at least 1",
        "\"sliding_window\": -4 | \"sliding_window\" is -4",
        "\"sliding_window\": [4] | \"sliding_window\" is [4]",
        "\"use_sliding_window\": true | (\"sliding_window\")",
        "\"use_sliding_window\": 1 | \"use_sliding_window\" is 1",
        "\"sliding_window\": 4, \"max_window_layers\": -1 | \"max_window_layers\" is -1",
        "\"sliding_window\": 4, \"layer_types\": [\"full_attention\"] | for each of the 3 layers",
        "\"sliding_window\": 4, \"layer_types\": [\"full_attention\", \"full_attention\", \"linear_attention\"] | linear_attention",
        "\"sliding_window\": 4, \"layer_types\": \"full_attention\" | must be a list of strings",
        "\"layer_types\": [\"sliding_attention\"] | (\"sliding_window\")",
        "\"rope_scaling\": {\"rope_type\": \"llama3\", \"factor\": 8} | \"llama3\" without \"low_freq_factor\"",
        "\"rope_scaling\": {\"rope_type\": \"llama3\", \"factor\": 8, \"low_freq_factor\": 1, \"high_freq_factor\": 4} | original_max_position_embeddings",
        "\"original_max_position_embeddings\": 9, \"rope_scaling\": {\"rope_type\": \"llama3\", \"factor\": 8, \"low_freq_factor\": 4, \"high_freq_factor\": 4} | must be greater than low_freq_factor, 4.0",
        "\"rope_scaling\": {\"type\": \"dynamic\"} | \"dynamic\" without \"factor\"",
        "\"rope_scaling\": {\"type\": \"dynamic\", \"factor\": 0.5} | dynamic is 0.5, must be finite and at least 1",
        "\"rope_scaling\": {\"type\": \"dynamic\", \"factor\": 1, \"alpha\": 1000} | \"ntk\"",
        "\"rope_scaling\": {\"type\": \"dynamic\", \"factor\": 2, \"original_max_position_embeddings\": 0} | the original context of the RoPE scaling dynamic is 0",
        "\"rope_scaling\": {\"type\": \"yarn\"} | \"yarn\" without \"factor\"",
        "\"rope_scaling\": {\"type\": \"yarn\", \"factor\": 2, \"beta_fast\": 0} | beta_fast of the RoPE scaling yarn is 0.0",
        "\"rope_scaling\": {\"type\": \"yarn\", \"factor\": 2, \"attention_factor\": -1} | the attention factor of the RoPE scaling yarn is -1.0",
        "\"rope_scaling\": {\"type\": \"yarn\", \"factor\": 2, \"extrapolation_factor\": 0.5} | extrapolation_factor",
        "\"rope_scaling\": {\"type\": \"yarn\", \"factor\": 2, \"truncate\": 1} | \"truncate\" is 1",
        "\"rope_scaling\": {\"type\": \"yarn\", \"factor\": \"2\"} | \"factor\" is \"2\"",
        "\"rope_theta\": 0.5, \"rope_scaling\": {\"type\": \"yarn\", \"factor\": 2} | rope_theta is 0.5, must be greater than 1",
        "\"rope_scaling\": {\"type\": \"longrope\", \"short_factor\": [1], \"long_factor\": [1]} | \"longrope\" cannot be computed",
        "\"rope_scaling\": {\"type\": \"su\"} | \"su\" cannot be computed",
        "\"rope_parameters\": {\"full_attention\": {\"rope_type\": \"default\"}} | differ between kinds of layers",
    })
    void wrongScalingsAndWindowsAreRefusedByName(String field, String part) {
        assertThatThrownBy(() -> read(REQUIRED + ", " + field))
                .isInstanceOf(CheckpointFormatException.class)
                .hasMessageContaining("config.json")
                .hasMessageContaining(part);
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
