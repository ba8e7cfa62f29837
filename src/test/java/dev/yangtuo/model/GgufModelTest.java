package dev.yangtuo.model;

import static org.assertj.core.api.Assertions.assertThat;

import dev.yangtuo.BackendType;
import dev.yangtuo.Llama;
import dev.yangtuo.LoadOptions;
import dev.yangtuo.ModelFolders;
import dev.yangtuo.WeightType;
import dev.yangtuo.checkpoint.GgufCheckpoint;
import dev.yangtuo.checkpoint.StoredBytes;
import dev.yangtuo.checkpoint.SafetensorsBuilder;
import dev.yangtuo.checkpoint.SafetensorsCheckpoint;
import dev.yangtuo.checkpoint.TensorInfo;
import dev.yangtuo.tensor.FloatRows;
import dev.yangtuo.tensor.TensorType;
import dev.yangtuo.tokenizer.Tokenizer;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The same model in other containers: GGUF in every type, safetensors in shards. */
class GgufModelTest {
    private static final int[] IDS = {1, 182, 353, 1839, 405, 2870, 495, 2229, 2327, 820};

    @TempDir
    private Path folder;

    private static int[] logits(Path model, LoadOptions options) {
        List<Integer> bits = new ArrayList<>();
        try (Llama llama = Llama.load(model, options.backend(BackendType.NATIVE))) {
            llama.logits(IDS, (position, logits, offset) -> {
                for (int i = 0; i < llama.vocabSize(); i++) {
                    bits.add(Float.floatToRawIntBits(logits[offset + i]));
                }
            });
        }
        return bits.stream().mapToInt(Integer::intValue).toArray();
    }

    /** The stored blocks are taken as they are, the Hugging Face weights are converted at load: the same bits must come of both. */
    @ParameterizedTest
    @EnumSource(value = TensorType.class, names = {"F32", "F16", "BF16", "Q8_0", "Q4_0"})
    void ggufOfEveryTypeGivesTheLogitsOfTheDirectoryConvertedAtLoad(TensorType type) {
        Path gguf = TinyGguf.write(folder.resolve("tiny.gguf"), type, true);
        int[] converted = logits(ModelFolders.tiny("base"), LoadOptions.defaults().quantize(WeightType.of(type.name())));
        assertThat(Arrays.equals(logits(gguf, LoadOptions.defaults()), converted)).as("same bits").isTrue();
        try (Llama llama = Llama.load(gguf)) {
            assertThat(llama.report().weightTypes()).startsWith(type.name());
            assertThat(llama.contextLength()).isEqualTo(256);
        }
    }

    @Test
    void adapterFitsBothFormats() {
        Path gguf = TinyGguf.write(folder.resolve("tiny.gguf"), TensorType.F32, true);
        LoadOptions options = LoadOptions.defaults().lora(ModelFolders.tiny("plain"));
        int[] expected = logits(ModelFolders.tiny("base"), options);
        assertThat(logits(gguf, options)).isEqualTo(expected);
        assertThat(logits(gguf, LoadOptions.defaults())).isNotEqualTo(expected);
        assertThat(logits(gguf, options.quantize(WeightType.Q8_0)))
                .isEqualTo(logits(ModelFolders.tiny("base"), options.quantize(WeightType.Q8_0)));
    }

    @Test
    void storedBlocksAreHandedOnUnchanged() {
        Path file = TinyGguf.write(folder.resolve("tiny.gguf"), TensorType.Q8_0, true);
        try (GgufCheckpoint checkpoint = GgufCheckpoint.open(file)) {
            GgufSource source = new GgufSource(checkpoint);
            for (LayerParameter parameter : List.of(LayerParameter.Q, LayerParameter.V, LayerParameter.DOWN)) {
                Parameter stored = source.layer(1, parameter);
                TensorInfo tensor = checkpoint.require(parameter.ggufName(1));
                assertThat(stored.type()).isEqualTo(TensorType.Q8_0);
                assertThat(stored.blocks()).isNotNull();
                try (Arena arena = Arena.ofConfined(); StoredBytes.Reader reader = stored.blocks().open()) {
                    MemorySegment copy = arena.allocate(tensor.byteSize());
                    reader.read(0, copy);
                    assertThat(copy.mismatch(checkpoint.bytes(tensor))).as("%s", parameter).isEqualTo(-1);
                }
            }
        }
    }

    @Test
    void tokenizerOfTheMetadataGivesTheSameIds() {
        Tokenizer expected = Tokenizer.load(ModelFolders.tiny("base").resolve("tokenizer.model"));
        Tokenizer actual = Llama.loadTokenizer(TinyGguf.write(folder.resolve("tiny.gguf"), TensorType.Q4_0, true));
        assertThat(actual.vocabSize()).isEqualTo(expected.vocabSize());
        assertThat(actual.bosId()).isEqualTo(expected.bosId());
        assertThat(actual.eosId()).isEqualTo(expected.eosId());
        for (String text : List.of("", " ", "In the beginning God created", "  two  spaces\n\ttab", "《静夜思》李白\n床前明月光，", "🦙\u0000\u200b", "a".repeat(500))) {
            int[] ids = expected.encode(text);
            assertThat(actual.encode(text)).as(text).isEqualTo(ids);
            assertThat(actual.decode(ids)).as(text).isEqualTo(expected.decode(ids));
        }
    }

    @Test
    void withoutOutputMatrixTheEmbeddingServes() throws Exception {
        Path gguf = TinyGguf.write(folder.resolve("tied.gguf"), TensorType.F32, false);
        Path directory = Files.createDirectory(folder.resolve("tied"));
        Path base = ModelFolders.tiny("base");
        Files.copy(base.resolve("tokenizer.model"), directory.resolve("tokenizer.model"));
        Files.writeString(directory.resolve("config.json"), Files.readString(base.resolve("config.json"))
                .replace("\"tie_word_embeddings\": false", "\"tie_word_embeddings\": true"));
        writeShards(directory, List.of("model.safetensors"), ModelSource.OUTPUT);
        int[] tied = logits(gguf, LoadOptions.defaults());
        assertThat(tied).isEqualTo(logits(directory, LoadOptions.defaults())).isNotEqualTo(logits(base, LoadOptions.defaults()));
    }

    @Test
    void shardsAreOneModel() throws Exception {
        Path base = ModelFolders.tiny("base");
        for (String name : List.of("config.json", "tokenizer.model")) {
            Files.copy(base.resolve(name), folder.resolve(name));
        }
        writeShards(folder, List.of("model-00001-of-00003.safetensors", "model-00002-of-00003.safetensors", "model-00003-of-00003.safetensors"), "");
        assertThat(logits(folder, LoadOptions.defaults())).isEqualTo(logits(base, LoadOptions.defaults()));
    }

    /** Deals the tensors of the tiny model out to files; with more than one, an index says what is where. */
    private static void writeShards(Path directory, List<String> files, String without) throws Exception {
        List<SafetensorsBuilder> builders = files.stream().map(file -> new SafetensorsBuilder()).toList();
        StringBuilder index = new StringBuilder();
        try (SafetensorsCheckpoint base = SafetensorsCheckpoint.openDirectory(ModelFolders.tiny("base"), "model")) {
            int next = 0;
            for (TensorInfo tensor : base.tensors()) {
                if (tensor.name().equals(without)) {
                    continue;
                }
                FloatRows rows = base.rows(tensor);
                float[] values = new float[Math.toIntExact(rows.rows() * rows.columns())];
                rows.read(0, (int) rows.rows(), values, 0);
                int shard = next++ % files.size();
                builders.get(shard).tensor(tensor.name(), TensorType.F32, values, tensor.shape().stream().mapToLong(Long::longValue).toArray());
                index.append(index.isEmpty() ? "" : ",").append("\"%s\":\"%s\"".formatted(tensor.name(), files.get(shard)));
            }
        }
        for (int i = 0; i < files.size(); i++) {
            builders.get(i).write(directory.resolve(files.get(i)));
        }
        if (files.size() > 1) {
            Files.writeString(directory.resolve("model.safetensors.index.json"), "{\"metadata\":{},\"weight_map\":{" + index + "}}");
        }
    }
}
