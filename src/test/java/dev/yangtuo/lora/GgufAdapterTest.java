package dev.yangtuo.lora;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.yangtuo.checkpoint.GgufBuilder;
import dev.yangtuo.exception.AdapterException;
import dev.yangtuo.exception.CheckpointFormatException;
import dev.yangtuo.tensor.FloatRows;
import dev.yangtuo.tensor.TensorType;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** LoRA in GGUF files. */
class GgufAdapterTest {
    @TempDir
    private Path folder;

    private static GgufBuilder builder() {
        return new GgufBuilder().put("general.type", "adapter").put("adapter.type", "lora").put("general.architecture", "llama").put("adapter.lora.alpha", 4f);
    }

    private Path write(GgufBuilder builder) {
        return builder.write(folder.resolve("lora.gguf"));
    }

    private static LoraMerge merge(LoraAdapter adapter, UnaryOperator<FloatRows> pairsToHalves) {
        return new LoraMerge(List.of(adapter), new LoraMerge.Base(Path.of("base"), 3, false, false, pairsToHalves));
    }

    private static float[] read(FloatRows rows) {
        float[] values = new float[Math.toIntExact(rows.rows() * rows.columns())];
        rows.read(0, (int) rows.rows(), values, 0);
        return values;
    }

    @Test
    void addsProductsUnderHuggingFacesNames() {
        Path file = write(builder()
                .tensor("blk.0.attn_v.weight.lora_a", TensorType.F32, new float[] {1, 2, 3}, 1, 3)
                .tensor("blk.0.attn_v.weight.lora_b", TensorType.F32, new float[] {1, 10}, 2, 1)
                .tensor("blk.11.ffn_norm.weight", TensorType.F32, new float[] {5, 6}, 2));
        try (LoraAdapter adapter = LoraAdapter.open(new LoraRequest(file, 0.5))) {
            assertThat(adapter.parameters()).containsExactlyInAnyOrder("model.layers.0.self_attn.v_proj.weight", "model.layers.11.post_attention_layernorm.weight");
            LoraMerge merge = merge(adapter, rows -> rows);
            // alpha 4, rank 1, half of it.
            assertThat(read(merge.apply("model.layers.0.self_attn.v_proj.weight", FloatRows.of(new float[6], 3)))).containsExactly(2, 4, 6, 20, 40, 60);
            assertThat(read(merge.apply("model.layers.11.post_attention_layernorm.weight", FloatRows.of(new float[2], 2)))).containsExactly(5, 6);
            MergeReport.Adapter report = merge.finish().adapters().getFirst();
            assertThat(report.source().format()).isEqualTo("gguf");
            assertThat(report.describe()).startsWith("LoRA lora.gguf: 1 matrix changed");
        }
    }

    @Test
    void rowsOfQAndKAreBroughtFromPairsIntoHalves() {
        for (String name : List.of("attn_q", "attn_k")) {
            Path file = write(builder()
                    .tensor("blk.0." + name + ".weight.lora_a", TensorType.F32, new float[] {0.25f}, 1, 1)
                    .tensor("blk.0." + name + ".weight.lora_b", TensorType.F32, new float[] {0, 1, 2, 3}, 4, 1));
            try (LoraAdapter adapter = LoraAdapter.open(file)) {
                LoraMerge merge = merge(adapter, rows -> rows.permuted(row -> row == 1 ? 2 : row == 2 ? 1 : row));
                String parameter = "model.layers.0.self_attn." + name.charAt(5) + "_proj.weight";
                assertThat(read(merge.apply(parameter, FloatRows.of(new float[4], 1)))).containsExactly(0, 2, 1, 3);
            }
        }
    }

    @Test
    void theEmbeddingsFactorIsStoredTransposed() {
        // A is [vocabulary 3, rank 2], B is [dim 2, rank 2].
        Path file = write(builder()
                .tensor("token_embd.weight.lora_a", TensorType.F32, new float[] {1, 0, 0, 1, 1, 1}, 3, 2)
                .tensor("token_embd.weight.lora_b", TensorType.F32, new float[] {1, 2, 3, 4}, 2, 2));
        try (LoraAdapter adapter = LoraAdapter.open(file)) {
            // alpha 4 by rank 2
            assertThat(read(merge(adapter, rows -> rows).apply(LoraMerge.EMBEDDING, FloatRows.of(new float[6], 2)))).containsExactly(2, 6, 4, 8, 6, 14);
        }
    }

    @Test
    void withoutAlphaTheScaleIsOne() {
        Path file = write(new GgufBuilder().put("general.type", "adapter").put("adapter.type", "lora").put("general.architecture", "llama")
                .tensor("output.weight.lora_a", TensorType.F32, new float[] {1, 1, 1, 1}, 2, 2)
                .tensor("output.weight.lora_b", TensorType.F32, new float[] {1, 1, 1, 1, 1, 1}, 3, 2));
        try (LoraAdapter adapter = LoraAdapter.open(file)) {
            assertThat(read(merge(adapter, rows -> rows).apply(LoraMerge.OUTPUT, FloatRows.of(new float[6], 2)))).containsExactly(2, 2, 2, 2, 2, 2);
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "general.type | model | general.type is 'model', expected 'adapter'",
        "adapter.type | control_vector | adapter.type is 'control_vector', expected 'lora'",
        "general.architecture | qwen2 | general.architecture is 'qwen2', expected 'llama'",
        "general.type | | general.type is missing, expected 'adapter'",
    })
    void otherFilesAreRefusedByName(String key, String value, String problem) {
        GgufBuilder builder = new GgufBuilder();
        for (String required : List.of("general.type=adapter", "adapter.type=lora", "general.architecture=llama")) {
            String[] pair = required.split("=");
            String put = pair[0].equals(key) ? value : pair[1];
            if (put != null) {
                builder.put(pair[0], put);
            }
        }
        Path file = write(builder.tensor("output.weight.lora_a", TensorType.F32, new float[] {1}, 1, 1).tensor("output.weight.lora_b", TensorType.F32, new float[] {1}, 1, 1));
        assertThatThrownBy(() -> LoraAdapter.open(file)).isInstanceOf(AdapterException.class).hasMessageStartingWith(file + ": ").hasMessageContaining(problem);
    }

    @Test
    void whatDoesNotBelongTogetherIsRefused() {
        assertThatThrownBy(() -> LoraAdapter.open(write(builder().tensor("output.weight.lora_a", TensorType.F32, new float[] {1}, 1, 1))))
                .isInstanceOf(AdapterException.class)
                .hasMessageContaining("tensor 'output.weight.lora_a' has no lora_B beside it");
        assertThatThrownBy(() -> LoraAdapter.open(write(builder()
                        .tensor("output.weight.lora_a", TensorType.F32, new float[] {1, 2}, 2, 1).tensor("output.weight.lora_b", TensorType.F32, new float[] {1}, 1, 1))))
                .hasMessageContaining("the ranks of 'output.weight.lora_a' [2, 1] and 'output.weight.lora_b' [1, 1] differ");
        for (String name : List.of("output.weight", "blk.0.attn_qkv.weight.lora_a", "blk.00.attn_q.weight.lora_a", "blk.x.attn_q.weight.lora_b", "lora_a", ".lora_a",
                "blk.99999999999.attn_q.weight.lora_a", "rope_norm.weight")) {
            assertThatThrownBy(() -> LoraAdapter.open(write(builder().tensor(name, TensorType.F32, new float[] {1}, 1, 1))))
                    .isInstanceOf(AdapterException.class)
                    .hasMessageContaining("tensor '" + name + "' is not understood");
        }
        assertThatThrownBy(() -> LoraAdapter.open(write(builder()))).isInstanceOf(RuntimeException.class).hasMessageContaining("lora.gguf");
        assertThatThrownBy(() -> LoraAdapter.open(write(builder().put("adapter.alora.invocation_tokens", new int[] {1})
                        .tensor("output.weight.lora_a", TensorType.F32, new float[] {1}, 1, 1).tensor("output.weight.lora_b", TensorType.F32, new float[] {1}, 1, 1))))
                .hasMessageContaining("activated LoRA, which cannot be merged");
    }

    @Test
    void everyTruncationIsAnError() throws Exception {
        byte[] whole = Files.readAllBytes(write(builder()
                .tensor("output.weight.lora_a", TensorType.F32, new float[] {1, 2}, 1, 2).tensor("output.weight.lora_b", TensorType.F32, new float[] {1, 2}, 2, 1)));
        Path file = folder.resolve("cut.gguf");
        // Two floats at the end, padded to the alignment of 32 bytes.
        for (int length = 0; length < whole.length - 24; length++) {
            Files.write(file, Arrays.copyOf(whole, length));
            assertThatThrownBy(() -> LoraAdapter.open(file)).isInstanceOfAny(AdapterException.class, CheckpointFormatException.class).hasMessageContaining("cut.gguf");
        }
    }
}
