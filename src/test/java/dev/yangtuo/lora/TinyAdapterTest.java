package dev.yangtuo.lora;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.yangtuo.checkpoint.Checkpoint;
import dev.yangtuo.checkpoint.SafetensorsCheckpoint;
import dev.yangtuo.checkpoint.TensorInfo;
import dev.yangtuo.tensor.FloatRows;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The tiny model and its plain adapter (r = 4, alpha = 8, all seven projections), read from their files. */
class TinyAdapterTest {
    private static Path model(String name) throws Exception {
        return Path.of(TinyAdapterTest.class.getResource("/models/tiny/" + name).toURI());
    }

    private static float[] read(FloatRows rows) {
        float[] values = new float[Math.toIntExact(rows.rows() * rows.columns())];
        rows.read(0, (int) rows.rows(), values, 0);
        return values;
    }

    @Test
    void mergesAsTheDenseProductDoes() throws Exception {
        try (Checkpoint base = SafetensorsCheckpoint.openDirectory(model("base"), "model");
                Checkpoint raw = SafetensorsCheckpoint.openDirectory(model("plain"), "adapter_model");
                LoraAdapter adapter = LoraAdapter.open(model("plain"))) {
            Map<String, FloatRows> parameters = new LinkedHashMap<>();
            for (TensorInfo tensor : base.tensors()) {
                parameters.put(tensor.name(), base.rows(tensor));
            }
            LoraMerge merge = new LoraMerge(List.of(adapter), new LoraMerge.Base(Path.of("base"), 3000, false, false, rows -> rows));
            merge.check(parameters);
            for (Map.Entry<String, FloatRows> parameter : parameters.entrySet()) {
                float[] before = read(parameter.getValue());
                float[] after = read(merge.apply(parameter.getKey(), parameter.getValue()));
                String key = "base_model.model." + parameter.getKey().replace(".weight", "");
                TensorInfo tensorA = raw.find(key + ".lora_A.weight");
                if (tensorA == null) {
                    assertThat(after).isEqualTo(before);
                    continue;
                }
                assertThat(after).isNotEqualTo(before);
                float[] a = read(raw.rows(tensorA));
                float[] b = read(raw.rows(raw.require(key + ".lora_B.weight")));
                int in = parameter.getValue().columns();
                for (int i = 0; i < after.length; i++) {
                    double expected = before[i];
                    for (int k = 0; k < 4; k++) {
                        expected += 2.0 * b[i / in * 4 + k] * a[k * in + i % in];
                    }
                    // Weights below 1, four products: a few roundings of 2^-24.
                    assertThat((double) after[i]).isCloseTo(expected, within(5e-7));
                }
            }
            MergeReport.Adapter report = merge.finish().adapters().getFirst();
            assertThat(report.changed()).isEqualTo(21);
            assertThat(report.replaced()).isZero();
            assertThat(report.vocabularyAfter()).isEqualTo(3000);
            assertThat(report.relativeNorm()).isBetween(0.0, 10.0);
            assertThat(report.describe()).startsWith("LoRA plain: 21 matrices changed (relative norm ");
        }
    }
}
