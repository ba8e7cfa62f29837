package dev.yangtuo.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.yangtuo.BackendType;
import dev.yangtuo.KvType;
import dev.yangtuo.Llama;
import dev.yangtuo.LoadOptions;
import dev.yangtuo.WeightType;
import dev.yangtuo.checkpoint.GgufCheckpoint;
import dev.yangtuo.checkpoint.SafetensorsBuilder;
import dev.yangtuo.checkpoint.SafetensorsCheckpoint;
import dev.yangtuo.checkpoint.TensorInfo;
import dev.yangtuo.exception.CheckpointFormatException;
import dev.yangtuo.tensor.FloatRows;
import dev.yangtuo.tensor.TensorType;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Models whose projections have biases, against PyTorch ({@code models/adapters/README.md}) and against themselves in another format. */
class BiasedModelTest {
    /** As in {@code AdapterGoldenTest}: the rounding of float32 beside a reference in float64. */
    private static final double TOLERANCE = 2e-3;

    private static final Path ROOT = root();
    private static final Path BIASED = ROOT.resolve("bases/biased");
    private static final LoadOptions FLOAT = LoadOptions.defaults().quantize(WeightType.F32).kvType(KvType.F32);

    @TempDir
    private Path folder;

    private static Path root() {
        try {
            return Path.of(BiasedModelTest.class.getResource("/models/adapters").toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    private static JsonNode golden() throws IOException {
        return new ObjectMapper().readTree(ROOT.resolve("cases/biased/case.json").toFile());
    }

    private static float[] logits(Path model, LoadOptions options) throws IOException {
        int[] ids = new ObjectMapper().convertValue(golden().get("ids"), int[].class);
        try (Llama llama = Llama.load(model, options)) {
            float[] all = new float[ids.length * llama.vocabSize()];
            llama.logits(ids, (position, logits, offset) -> System.arraycopy(logits, offset, all, position * llama.vocabSize(), llama.vocabSize()));
            return all;
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"NATIVE", "SCALAR"})
    void logitsAreThoseOfPyTorch(BackendType backend) throws IOException {
        float[] actual = logits(BIASED, FLOAT.backend(backend));
        ByteBuffer expected = ByteBuffer.wrap(Files.readAllBytes(ROOT.resolve("cases/biased/logits.f32"))).order(ByteOrder.LITTLE_ENDIAN);
        assertThat(expected.remaining()).isEqualTo(actual.length * Float.BYTES);
        double largest = 0;
        for (float value : actual) {
            assertThat(value).isFinite();
            largest = Math.max(largest, Math.abs((double) value - expected.getFloat()));
        }
        assertThat(largest).isLessThanOrEqualTo(TOLERANCE);
    }

    @Test
    void exportedBothWaysItGivesTheSameLogits() throws IOException {
        float[] expected = logits(BIASED, FLOAT);
        Path gguf = folder.resolve("biased.gguf");
        Path directory = folder.resolve("biased");
        Path back = folder.resolve("back");
        Llama.convert(BIASED, gguf, LoadOptions.defaults());
        Llama.convert(BIASED, directory, LoadOptions.defaults());
        Llama.convert(gguf, back, LoadOptions.defaults());
        for (Path model : new Path[] {gguf, directory, back}) {
            assertThat(logits(model, FLOAT)).as(model.toString()).isEqualTo(expected);
        }
    }

    @Test
    void biasesOfQAndKAreInPairsInGgufAndInHalvesInDirectories() {
        Path gguf = folder.resolve("biased.gguf");
        Llama.convert(BIASED, gguf, LoadOptions.defaults());
        try (SafetensorsCheckpoint halves = SafetensorsCheckpoint.openDirectory(BIASED, "model"); GgufCheckpoint pairs = GgufCheckpoint.open(gguf)) {
            int headDim = 8;
            float[] inHalves = read(halves.rows(halves.require("model.layers.1.self_attn.k_proj.bias")));
            float[] inPairs = read(pairs.rows(pairs.require("blk.1.attn_k.bias")));
            for (int i = 0; i < inPairs.length; i++) {
                int head = i / headDim * headDim;
                assertThat(inPairs[i]).as("element %d", i).isEqualTo(inHalves[head + i % 2 * headDim / 2 + i % headDim / 2]);
            }
            assertThat(read(pairs.rows(pairs.require("blk.1.attn_v.bias"))))
                    .isEqualTo(read(halves.rows(halves.require("model.layers.1.self_attn.v_proj.bias"))));
        }
    }

    private static float[] read(FloatRows vector) {
        float[] values = new float[vector.columns()];
        vector.read(0, 1, values, 0);
        return values;
    }

    @Test
    void biasesThatOnlyAnAdapterBringsAreExportedAndReadAgain() throws IOException {
        LoadOptions options = FLOAT.lora(ROOT.resolve("cases/lora-bias-without-base-bias/lora"));
        Path base = ROOT.resolve("bases/base");
        Path directory = folder.resolve("merged");
        Path gguf = folder.resolve("merged.gguf");
        Llama.convert(base, directory, options);
        Llama.convert(base, gguf, options);
        float[] expected = logits(base, options);
        assertThat(logits(directory, FLOAT)).isEqualTo(expected);
        assertThat(logits(gguf, FLOAT)).isEqualTo(expected);
        assertThat(logits(base, FLOAT)).isNotEqualTo(expected);
    }

    @ParameterizedTest
    @CsvSource({"attention_bias, model.layers.0.self_attn.q_proj.bias", "mlp_bias, model.layers.0.mlp.gate_proj.bias"})
    void aConfigurationThatPromisesBiasesThatAreNotThereIsRefused(String flag, String missing) throws IOException {
        Path model = copyOf(ROOT.resolve("bases/base"));
        Path config = model.resolve("config.json");
        Files.writeString(config, Files.readString(config).replaceAll("\"" + flag + "\": *false", "\"" + flag + "\": true"));
        assertThatThrownBy(() -> Llama.load(model, LoadOptions.defaults()).close())
                .isInstanceOf(CheckpointFormatException.class)
                .hasMessageContaining("'" + missing + "' is missing");
    }

    /** Configurations know only all of attention's biases or none: those that are missing are written as zeros. */
    @Test
    void aSingleBiasIsUsedAndTheExportIsComplete() throws IOException {
        Path base = ROOT.resolve("bases/base");
        Path model = withBias(32);
        Path directory = folder.resolve("exported");
        float[] expected = logits(model, FLOAT);
        Llama.convert(model, directory, LoadOptions.defaults());
        assertThat(expected).isNotEqualTo(logits(base, FLOAT));
        assertThat(logits(directory, FLOAT)).isEqualTo(expected);
        JsonNode config = new ObjectMapper().readTree(directory.resolve("config.json").toFile());
        assertThat(config.get("attention_bias").booleanValue()).isTrue();
        assertThat(config.get("mlp_bias").booleanValue()).isFalse();
    }

    @Test
    void aBiasOfTheWrongSizeIsRefused() throws IOException {
        Path model = withBias(31);
        assertThatThrownBy(() -> Llama.load(model, FLOAT).close())
                .isInstanceOf(CheckpointFormatException.class)
                .hasMessageContaining("'model.layers.1.self_attn.q_proj.bias' has shape [31], but the configuration asks for [32]");
    }

    /** The base without biases with one of this many elements. */
    private Path withBias(int elements) throws IOException {
        Path model = copyOf(ROOT.resolve("bases/base"));
        SafetensorsBuilder tensors = new SafetensorsBuilder();
        try (SafetensorsCheckpoint base = SafetensorsCheckpoint.openDirectory(model, "model")) {
            for (TensorInfo tensor : base.tensors()) {
                FloatRows rows = base.rows(tensor);
                float[] values = new float[Math.toIntExact(rows.rows() * rows.columns())];
                rows.read(0, (int) rows.rows(), values, 0);
                tensors.tensor(tensor.name(), TensorType.F32, values, tensor.shape().stream().mapToLong(Long::longValue).toArray());
            }
        }
        float[] bias = new float[elements];
        for (int i = 0; i < elements; i++) {
            bias[i] = (i % 7 - 3) * 0.25f;
        }
        tensors.tensor("model.layers.1.self_attn.q_proj.bias", TensorType.F32, bias, elements);
        tensors.write(model.resolve("model.safetensors"));
        return model;
    }

    private Path copyOf(Path model) throws IOException {
        Path copy = Files.createDirectory(folder.resolve("copy"));
        try (Stream<Path> files = Files.list(model)) {
            for (Path file : files.toList()) {
                Files.copy(file, copy.resolve(file.getFileName()));
            }
        }
        return copy;
    }
}
