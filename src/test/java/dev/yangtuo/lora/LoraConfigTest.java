package dev.yangtuo.lora;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.yangtuo.exception.AdapterException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class LoraConfigTest {
    private static final Path FILE = Path.of("adapter", "adapter_config.json");

    static LoraConfig parse(String json) {
        return LoraConfig.parse(json.getBytes(StandardCharsets.UTF_8), FILE);
    }

    private static ModulePattern.Budget budget() {
        return new ModulePattern.Budget(1_000_000);
    }

    @Test
    void readsWhatDecidesTheResult() {
        LoraConfig config = parse("""
                {"peft_type": "LORA", "r": 16, "lora_alpha": 24.5, "use_rslora": true, "fan_in_fan_out": true, "bias": "none",
                 "modules_to_save": ["embed_tokens", "lm_head"], "target_modules": ["q_proj"], "base_model_name_or_path": "llama"}""");
        assertThat(config.rank()).isEqualTo(16);
        assertThat(config.alpha()).isEqualTo(24.5);
        assertThat(config.rsLora()).isTrue();
        assertThat(config.fanInFanOut()).isTrue();
        assertThat(config.modulesToSave()).containsExactly("embed_tokens", "lm_head");
        assertThat(config.baseModel()).isEqualTo("llama");
    }

    @Test
    void takesPeftsDefaultsForWhatIsAbsentOrNull() {
        LoraConfig config = parse("""
                {"peft_type": "LORA", "r": null, "fan_in_fan_out": null, "bias": null, "modules_to_save": null, "rank_pattern": null,
                 "target_modules": null, "base_model_name_or_path": null}""");
        assertThat(config.rank()).isEqualTo(8);
        assertThat(config.alpha()).isEqualTo(8);
        assertThat(config.rsLora()).isFalse();
        assertThat(config.fanInFanOut()).isFalse();
        assertThat(config.modulesToSave()).isEmpty();
    }

    @Test
    void ignoresWhatDecidesNothing() {
        assertThat(parse("""
                {"peft_type": "LORA", "r": 4, "enable_lora": null, "merge_weights": false, "lora_dropout": 0.05, "revision": "main",
                 "task_type": "CAUSAL_LM", "inference_mode": true, "auto_mapping": {"a": 1}, "megatron_core": "megatron.core", "megatron_config": null,
                 "loftq_config": {}, "layer_replication": null, "trainable_token_indices": null, "target_parameters": [], "use_dora": false,
                 "lora_bias": false, "qalora_group_size": 16, "use_qalora": false, "init_lora_weights": true, "target_modules": "all-linear",
                 "layers_to_transform": [1, 2], "layers_pattern": null, "exclude_modules": null, "eva_config": null, "from_the_future": [1]}""")
                        .rank())
                .isEqualTo(4);
        assertThat(parse("{\"peft_type\": \"LORA\", \"init_lora_weights\": \"gaussian\"}").rank()).isEqualTo(8);
    }

    @Test
    void readsWhichTokensWereTrained() {
        LoraConfig list = parse("{\"peft_type\": \"LORA\", \"trainable_token_indices\": [7, 3]}");
        assertThat(list.tokensOf("model.embed_tokens")).containsExactly(7, 3);
        LoraConfig map = parse("{\"peft_type\": \"LORA\", \"trainable_token_indices\": {\"embed_tokens\": [1], \"lm_head\": [2, 0]}}");
        assertThat(map.tokensOf("model.embed_tokens")).containsExactly(1);
        assertThat(map.tokensOf("lm_head")).containsExactly(2, 0);
        assertThat(map.tokensOf("model.norm")).isNull();
        assertThat(parse("{\"peft_type\": \"LORA\", \"trainable_token_indices\": []}").tokens()).isEmpty();
    }

    @Test
    void scalesByAlphaOverTheTensorsRank() {
        assertThat(parse("{\"peft_type\": \"LORA\", \"r\": 4, \"lora_alpha\": 8}").scaling().scale("q", 4, budget())).isEqualTo(2);
        assertThat(parse("{\"peft_type\": \"LORA\", \"r\": 4, \"lora_alpha\": 8}").scaling().scale("q", 16, budget())).isEqualTo(0.5);
        assertThat(parse("{\"peft_type\": \"LORA\", \"lora_alpha\": 8, \"use_rslora\": true}").scaling().scale("q", 4, budget())).isEqualTo(4);
    }

    @Test
    void patternsGiveOtherRanksAndAlphasAndTheFirstMatchWins() {
        LoraConfig config = parse("""
                {"peft_type": "LORA", "r": 4, "lora_alpha": 8,
                 "rank_pattern": {"layers.0.self_attn.q_proj": 2, "q_proj": 3},
                 "alpha_pattern": {"self_attn.*": 6, "q_proj": 100, "^model.layers.1.mlp.*": 1.5}}""");
        assertThat(config.scaling().rankOf("model.layers.0.self_attn.q_proj", budget())).isEqualTo(2);
        assertThat(config.scaling().rankOf("model.layers.10.self_attn.q_proj", budget())).isEqualTo(3);
        assertThat(config.scaling().rankOf("model.layers.10.self_attn.k_proj", budget())).isEqualTo(4);
        assertThat(config.scaling().scale("model.layers.0.self_attn.q_proj", 2, budget())).isEqualTo(3);
        assertThat(config.scaling().scale("model.layers.1.mlp.up_proj", 3, budget())).isCloseTo(0.5, within(1e-12));
        assertThat(config.scaling().scale("model.layers.2.mlp.up_proj", 4, budget())).isEqualTo(2);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '~', quoteCharacter = '`', value = {
        "{}~peft_type is missing, expected LORA",
        "{\"peft_type\": \"IA3\"}~peft_type 'IA3' is not supported, expected LORA",
        "{\"peft_type\": \"ADALORA\"}~peft_type 'ADALORA' is not supported",
        "{\"peft_type\": 3}~peft_type is '3', expected a string",
        "[]~is not a JSON object",
        "~is not a JSON object",
        "nonsense~is not JSON",
        "{\"peft_type\": \"LORA\"~is not JSON",
        "{\"peft_type\": \"LORA\"} {}~is not JSON",
        "{\"peft_type\": \"LORA\", \"r\": 4, \"r\": 8}~is not JSON: Duplicate",
        "{\"peft_type\": \"LORA\", \"lora_alpha\": NaN}~is not JSON",
        "{\"peft_type\": \"LORA\", \"r\": 0}~r is '0', expected a whole number of at least 1",
        "{\"peft_type\": \"LORA\", \"r\": -4}~r is '-4', expected",
        "{\"peft_type\": \"LORA\", \"r\": 2.5}~r is '2.5', expected",
        "{\"peft_type\": \"LORA\", \"r\": 99999999999999999999}~r is '99999999999999999999', expected",
        "{\"peft_type\": \"LORA\", \"r\": \"8\"}~expected a finite number",
        "{\"peft_type\": \"LORA\", \"lora_alpha\": 1e999}~lora_alpha is",
        "{\"peft_type\": \"LORA\", \"lora_alpha\": \"16\"}~lora_alpha is '\"16\"', expected a finite number",
        "{\"peft_type\": \"LORA\", \"fan_in_fan_out\": \"yes\"}~fan_in_fan_out is '\"yes\"', expected true or false",
        "{\"peft_type\": \"LORA\", \"modules_to_save\": {}}~modules_to_save is '{}', expected a list",
        "{\"peft_type\": \"LORA\", \"modules_to_save\": [1]}~modules_to_save is '[1]', expected a list",
        "{\"peft_type\": \"LORA\", \"rank_pattern\": []}~rank_pattern is '[]', expected an object",
        "{\"peft_type\": \"LORA\", \"rank_pattern\": {\"q\": 0}}~rank_pattern of 'q' is '0', expected a whole number",
        "{\"peft_type\": \"LORA\", \"alpha_pattern\": {\"q\": null}}~alpha_pattern of 'q' is 'null', expected a finite number",
        "{\"peft_type\": \"LORA\", \"alpha_pattern\": {\"q(\": 1}}~alpha_pattern of 'q(': the pattern is not understood: a group does not end",
        "{\"peft_type\": \"LORA\", \"bias\": \"some\"}~bias is 'some', expected \"none\", \"all\" or \"lora_only\"",
        "{\"peft_type\": \"LORA\", \"layer_replication\": [[0, 4], [2, 5]]}~layer_replication: ",
        "{\"peft_type\": \"LORA\", \"loftq_config\": {\"loftq_bits\": 4}}~loftq_config: LoftQ",
        "{\"peft_type\": \"LORA\", \"use_qalora\": true}~use_qalora: QA-LoRA",
        "{\"peft_type\": \"LORA\", \"trainable_token_indices\": [-3]}~trainable_token_indices holds '-3', expected token ids",
        "{\"peft_type\": \"LORA\", \"trainable_token_indices\": [2.5]}~trainable_token_indices holds '2.5'",
        "{\"peft_type\": \"LORA\", \"trainable_token_indices\": [3000000000]}~trainable_token_indices holds '3000000000'",
        "{\"peft_type\": \"LORA\", \"trainable_token_indices\": [3, 3]}~trainable_token_indices holds the token id 3 twice",
        "{\"peft_type\": \"LORA\", \"trainable_token_indices\": 3}~trainable_token_indices is '3', expected a list of token ids, or an object",
        "{\"peft_type\": \"LORA\", \"trainable_token_indices\": {\"embed_tokens\": 3}}~trainable_token_indices of 'embed_tokens' is '3', expected a list of token ids",
        "{\"peft_type\": \"LORA\", \"kasa_config\": {\"beta\": 1}}~kasa_config: ",
        "{\"peft_type\": \"LORA\", \"target_parameters\": [\"a.b\"]}~target_parameters: ",
        "{\"peft_type\": \"LORA\", \"megatron_config\": {\"a\": 1}}~megatron_config: ",
        "{\"peft_type\": \"LORA\", \"alora_invocation_tokens\": [1]}~alora_invocation_tokens: ",
        "{\"peft_type\": \"LORA\", \"enable_lora\": [true, false]}~enable_lora: ",
        "{\"peft_type\": \"LORA\", \"init_lora_weights\": \"pissa_niter_16\"}~init_lora_weights 'pissa_niter_16' is not supported: it may have altered the base",
        "{\"peft_type\": \"LORA\", \"init_lora_weights\": \"olora\"}~init_lora_weights 'olora'",
    })
    void refusesByName(String json, String message) {
        assertThatThrownBy(() -> parse(json == null ? "" : json))
                .isInstanceOf(AdapterException.class)
                .hasMessageStartingWith(FILE + ": ")
                .hasMessageContaining(message);
    }

    @ParameterizedTest
    @ValueSource(ints = {2_000, 100_000})
    void deepNestingIsAnError(int depth) {
        assertThatThrownBy(() -> parse("{\"peft_type\": \"LORA\", \"x\": " + "[".repeat(depth) + "]".repeat(depth) + "}"))
                .isInstanceOf(AdapterException.class)
                .hasMessageContaining("is not JSON");
    }

    @Test
    void aHugeFileIsRefusedWithoutParsingIt(@TempDir Path directory) throws IOException {
        Path file = directory.resolve("adapter_config.json");
        Files.write(file, new byte[LoraConfig.MAX_BYTES + 1]);
        assertThatThrownBy(() -> LoraConfig.read(file)).isInstanceOf(AdapterException.class).hasMessageContaining("larger than");
    }

    @Test
    void controlCharactersOfTheFileDoNotReachTheMessage() {
        assertThatThrownBy(() -> parse("{\"peft_type\": \"\\u001b[2J\\nX\"}"))
                .hasMessageNotContaining("\u001b")
                .hasMessageNotContaining("\n")
                .hasMessageContaining("peft_type '");
    }
}
