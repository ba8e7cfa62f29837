package dev.yangtuo.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.yangtuo.BackendType;
import dev.yangtuo.Llama;
import dev.yangtuo.LoadOptions;
import dev.yangtuo.exception.CheckpointFormatException;
import dev.yangtuo.exception.TokenizerFormatException;
import dev.yangtuo.lora.LoraStack;
import dev.yangtuo.tensor.FloatRows;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** One model in PyTorch's files of all kinds ({@code checkpoint/pytorch/make.py} wrote them) and in safetensors: the same values to the bit. */
class PytorchModelTest {
    private static final int[] IDS = {1, 20, 299, 7, 45, 120};

    @TempDir
    private Path folder;

    private static Path resource(String name) {
        try {
            return Path.of(PytorchModelTest.class.getResource("/" + name).toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    private static Path base() {
        return resource("models/adapters/bases/base");
    }

    private static Path pytorch(String name) {
        return resource("checkpoint/pytorch/" + name);
    }

    private static Map<String, float[]> parameters(Path model) {
        Map<String, float[]> all = new LinkedHashMap<>();
        try (MergedModel opened = MergedModel.open(model, LoraStack.NONE)) {
            opened.forEach(parameter -> all.put(parameter.name(), values(parameter.rows())));
        }
        return all;
    }

    /** Three rows at a time, then one: pieces that fit neither shards nor heads. */
    private static float[] values(FloatRows rows) {
        float[] values = new float[Math.toIntExact(rows.rows() * rows.columns())];
        for (int row = 0; row < rows.rows(); row += 3) {
            rows.read(row, (int) Math.min(3, rows.rows() - row), values, row * rows.columns());
        }
        float[] last = new float[rows.columns() + 1];
        rows.read(rows.rows() - 1, 1, last, 1);
        assertThat(last[rows.columns()]).isEqualTo(values[values.length - 1]);
        return values;
    }

    private static List<Integer> logits(Path model, LoadOptions options) {
        List<Integer> bits = new ArrayList<>();
        try (Llama llama = Llama.load(model, options.backend(BackendType.SCALAR))) {
            llama.logits(IDS, (position, logits, offset) -> {
                for (int i = 0; i < llama.vocabSize(); i++) {
                    bits.add(Float.floatToRawIntBits(logits[offset + i]));
                }
            });
        }
        return bits;
    }

    @ParameterizedTest
    @ValueSource(strings = {"hugging-face", "sharded", "views", "meta-1", "meta-2/model", "meta-2-rows"})
    void everyParameterIsThatOfTheSafetensors(String name) {
        Map<String, float[]> expected = parameters(base());
        Map<String, float[]> actual = parameters(pytorch(name));
        assertThat(actual.keySet()).containsExactlyElementsOf(expected.keySet());
        expected.forEach((parameter, values) -> assertThat(actual.get(parameter)).as(parameter).isEqualTo(values));
        assertThat(logits(pytorch(name), LoadOptions.defaults())).isEqualTo(logits(base(), LoadOptions.defaults()));
    }

    /** Adapters have Hugging Face's names and order of rows; .bin adapters are read as the others. */
    @ParameterizedTest
    @CsvSource({"views, plain", "meta-2/model, plain", "meta-1, bin-f32", "hugging-face, bin-bf16"})
    void adaptersFit(String name, String adapter) throws IOException {
        Path directory;
        try (Stream<Path> files = Files.find(resource("models/adapters/cases/" + adapter), 2, (path, attributes) -> path.endsWith("adapter_config.json"))) {
            directory = files.findFirst().orElseThrow().getParent();
        }
        LoadOptions options = LoadOptions.defaults().lora(directory);
        List<Integer> expected = logits(base(), options);
        assertThat(logits(pytorch(name), options)).isEqualTo(expected).isNotEqualTo(logits(base(), LoadOptions.defaults()));
    }

    @Test
    void contextLengthIsWhatTheFileSaysOrThatOfTheGeneration() {
        try (MergedModel one = MergedModel.open(pytorch("meta-1"), LoraStack.NONE); MergedModel two = MergedModel.open(pytorch("meta-2-rows"), LoraStack.NONE)) {
            assertThat(one.config().contextLength()).isEqualTo(64);
            assertThat(two.config().contextLength()).isEqualTo(4096);
            assertThat(two.config().hiddenDim()).isEqualTo(64);
            assertThat(two.config().vocabSize()).isEqualTo(300);
        }
    }

    @Test
    void safetensorsArePreferred() throws IOException {
        copy(base());
        Files.writeString(folder.resolve("pytorch_model.bin"), "not read");
        assertThat(logits(folder, LoadOptions.defaults())).isEqualTo(logits(base(), LoadOptions.defaults()));
    }

    private void copy(Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            for (Path file : files.toList()) {
                Files.copy(file, folder.resolve(file.getFileName().toString()));
            }
        }
    }

    private void assertRefused(Class<? extends RuntimeException> type, String... parts) {
        assertThatThrownBy(() -> ModelLoader.check(folder)).isInstanceOf(type).hasMessageContaining(folder.toString()).hasMessageContainingAll(parts);
    }

    @Test
    void missingShardsAndFilesAreNamed() throws IOException {
        copy(pytorch("meta-2-rows"));
        Files.delete(folder.resolve("params.json"));
        assertRefused(CheckpointFormatException.class, "params.json is missing");
        Files.copy(pytorch("meta-2-rows").resolve("params.json"), folder.resolve("params.json"));
        Files.move(folder.resolve("tokenizer.model"), folder.resolve("other.model"));
        assertRefused(TokenizerFormatException.class, "tokenizer.model is missing, here and in the folder above");
        Files.move(folder.resolve("other.model"), folder.resolve("tokenizer.model"));
        Files.delete(folder.resolve("consolidated.00.pth"));
        assertRefused(CheckpointFormatException.class, "consolidated.00.pth is missing, but consolidated.01.pth is here");
        Files.move(folder.resolve("consolidated.01.pth"), folder.resolve("consolidated.00.pth"));
        assertRefused(CheckpointFormatException.class, "\"vocab_size\" is 300, but tok_embeddings.weight has 150 rows", "take the files of one model");
    }

    @Test
    void shardsOfDifferentModelsAreRefused() throws IOException {
        copy(pytorch("meta-2-rows"));
        Files.copy(pytorch("meta-1").resolve("consolidated.00.pth"), folder.resolve("consolidated.02.pth"));
        assertRefused(CheckpointFormatException.class, "the shards belong to different models", "'tok_embeddings.weight'");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            "use_scaled_rope": 1 | use_scaled_rope
            "sliding_window": -1 | sliding_window
            "moe": {"num_experts": 8} | moe
            "vocab_size": 32000 | "vocab_size" is 32000, but tok_embeddings.weight has 300 rows
            "n_layers": 3 | 'layers.2.attention_norm.weight' is missing
            "n_layers": 1 | layers.1.attention.wq.weight
            "n_heads": 0 | "n_heads" is 0
            "n_heads": 3 | "n_heads" is 3
            "n_kv_heads": 4 | 'layers.0.attention.wk.weight' has shape [16, 32]
            "dim": 64 | the configuration asks for [64]
            "norm_eps": -1 | rms_norm_eps is -1""")
    void hyperParametersThatDoNotFitAreNamed(String field, String part) throws IOException {
        copy(pytorch("meta-1"));
        Path params = folder.resolve("params.json");
        String name = field.substring(0, field.indexOf(':'));
        String text = Files.readString(params).replaceAll(name + ": [^,}]*, ?", "");
        Files.writeString(params, text.replace("{", "{" + field + ", "));
        assertThatThrownBy(() -> MergedModel.open(folder, LoraStack.NONE).close()).isInstanceOf(CheckpointFormatException.class).hasMessageContaining(part);
    }
}
