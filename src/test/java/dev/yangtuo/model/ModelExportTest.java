package dev.yangtuo.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.yangtuo.ConvertOptions;
import dev.yangtuo.ConvertReport;
import dev.yangtuo.GenerateOptions;
import dev.yangtuo.Llama;
import dev.yangtuo.LoadOptions;
import dev.yangtuo.LoadProgress;
import dev.yangtuo.ModelFolders;
import dev.yangtuo.WeightType;
import dev.yangtuo.checkpoint.GgufCheckpoint;
import dev.yangtuo.checkpoint.GgufMetadata;
import dev.yangtuo.checkpoint.SafetensorsCheckpoint;
import dev.yangtuo.checkpoint.TensorInfo;
import dev.yangtuo.exception.YangtuoException;
import dev.yangtuo.tensor.TensorType;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Models written and read again: GGUF from directories, directories from GGUF, with adapters and without. */
class ModelExportTest {
    private static final Path DEMO_BASE = ModelFolders.DEMO.resolve("base");
    private static final LoadOptions CHINESE = LoadOptions.defaults().lora(ModelFolders.DEMO.resolve("chinese-lora"));
    private static final int[] IDS = {1, 182, 353, 1839, 405, 2870, 495, 2229, 2327, 820};

    @TempDir
    private Path folder;

    private static int[] logitBits(Path model, LoadOptions options, int... ids) {
        List<Integer> bits = new ArrayList<>();
        try (Llama llama = Llama.load(model, options)) {
            llama.logits(ids.length == 0 ? IDS : ids, (position, logits, offset) -> {
                for (int i = 0; i < llama.vocabSize(); i++) {
                    bits.add(Float.floatToRawIntBits(logits[offset + i]));
                }
            });
        }
        return bits.stream().mapToInt(Integer::intValue).toArray();
    }

    private Path convert(Path model, String output, LoadOptions options) {
        Path target = folder.resolve(output);
        Llama.convert(model, target, options);
        return target;
    }

    private List<String> files(Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    private static JsonNode json(Path file) throws IOException {
        return new ObjectMapper().readTree(file.toFile());
    }

    @Test
    void adapterMergedAtLoadAndExportedBothWaysGiveTheSameLogits() throws IOException {
        LoadOptions f16 = CHINESE.quantize(WeightType.F16);
        int[] ids = {1, 2910, 4918, 5307, 4984, 5076, 4919, 3368, 13};
        int[] direct = logitBits(DEMO_BASE, f16, ids);
        Path gguf = convert(DEMO_BASE, "zh.gguf", f16);
        Path directory = convert(DEMO_BASE, "zh", f16);
        Path again = convert(gguf, "again", LoadOptions.defaults());
        assertThat(Arrays.equals(logitBits(gguf, LoadOptions.defaults(), ids), direct)).as("GGUF").isTrue();
        assertThat(Arrays.equals(logitBits(directory, LoadOptions.defaults(), ids), direct)).as("safetensors").isTrue();
        assertThat(Arrays.equals(logitBits(again, LoadOptions.defaults(), ids), direct)).as("safetensors made of the GGUF").isTrue();
        assertSameTensors(convert(again, "again.gguf", LoadOptions.defaults()), gguf);
        assertThat(files(folder)).containsExactly("again", "again.gguf", "zh", "zh.gguf");
        for (Path exported : List.of(gguf, directory, again)) {
            try (Llama llama = Llama.load(exported)) {
                assertThat(llama.generate("《静夜思》李白\n", GenerateOptions.defaults().greedy().maxTokens(12)).result().text())
                        .isEqualTo("我来一夕，我来复何。\n我");
            }
        }
    }

    @Test
    void recommendedSamplingAndEndIdsAreKept() throws IOException {
        GenerationConfig expected = GenerationConfig.read(ModelFolders.DEMO.resolve("chinese-lora"));
        Path gguf = convert(DEMO_BASE, "zh.gguf", CHINESE);
        Path directory = convert(gguf, "zh", LoadOptions.defaults());
        for (Path exported : List.of(gguf, directory)) {
            try (ModelSource source = ModelSource.open(exported)) {
                assertThat(source.generation().sampling()).isEqualTo(expected.sampling());
            }
        }
        assertThat(json(directory.resolve("config.json")).get("eos_token_id").intValue()).isEqualTo(2);
    }

    @Test
    void moreEndIdsBecomeTheEndsOfATurnAndOfAMessage() throws IOException {
        Path model = copyOfTiny("model");
        Files.writeString(model.resolve("generation_config.json"), "{\"eos_token_id\": [2, 5, 7, 999999]}");
        Path gguf = convert(model, "m.gguf", LoadOptions.defaults());
        try (GgufCheckpoint checkpoint = GgufCheckpoint.open(gguf)) {
            GgufMetadata metadata = checkpoint.metadata();
            assertThat(metadata.integer("tokenizer.ggml.eos_token_id")).isEqualTo(2);
            assertThat(metadata.integer("tokenizer.ggml.eot_token_id")).isEqualTo(5);
            assertThat(metadata.integer("tokenizer.ggml.eom_token_id")).isEqualTo(7);
            assertThat(new GgufSource(checkpoint).config().eosIds()).containsExactly(5, 7);
        }
        JsonNode config = json(convert(gguf, "again", LoadOptions.defaults()).resolve("config.json"));
        assertThat(config.get("eos_token_id").toString()).isEqualTo("[2,5,7]");
    }

    private Path copyOfTiny(String name) throws IOException {
        Path target = Files.createDirectory(folder.resolve(name));
        for (String file : List.of("config.json", "model.safetensors", "tokenizer.model")) {
            Files.copy(ModelFolders.tiny("base").resolve(file), target.resolve(file));
        }
        return target;
    }

    @Test
    void metadataAreThoseOfTheModel() {
        Path gguf = convert(DEMO_BASE, "zh.gguf", CHINESE.quantize(WeightType.Q8_0));
        try (GgufCheckpoint checkpoint = GgufCheckpoint.open(gguf)) {
            GgufMetadata metadata = checkpoint.metadata();
            assertThat(checkpoint.version()).isEqualTo(3);
            assertThat(metadata.string("general.architecture")).isEqualTo("llama");
            assertThat(metadata.string("general.name")).isEqualTo("base + chinese-lora");
            assertThat(metadata.integer("general.file_type")).isEqualTo(7);
            assertThat(metadata.integer("general.quantization_version")).isEqualTo(2);
            assertThat(metadata.integer("llama.vocab_size")).isEqualTo(12183);
            assertThat(metadata.integer("llama.context_length")).isEqualTo(512);
            assertThat(metadata.integer("llama.embedding_length")).isEqualTo(256);
            assertThat(metadata.integer("llama.block_count")).isEqualTo(6);
            assertThat(metadata.integer("llama.feed_forward_length")).isEqualTo(768);
            assertThat(metadata.integer("llama.attention.head_count")).isEqualTo(8);
            assertThat(metadata.integer("llama.attention.head_count_kv")).isEqualTo(4);
            assertThat(metadata.integer("llama.rope.dimension_count")).isEqualTo(32);
            assertThat(metadata.number("llama.rope.freq_base")).isEqualTo(10_000f);
            assertThat(metadata.number("llama.attention.layer_norm_rms_epsilon")).isEqualTo(1e-6f);
            assertThat(metadata.contains("llama.attention.key_length")).isFalse();
            assertThat(metadata.contains("llama.rope.scaling.type")).isFalse();
            assertThat(metadata.string("tokenizer.ggml.model")).isEqualTo("llama");
            assertThat(metadata.integer("tokenizer.ggml.bos_token_id")).isEqualTo(1);
            assertThat(metadata.integer("tokenizer.ggml.unknown_token_id")).isZero();
            assertThat(metadata.contains("tokenizer.ggml.padding_token_id")).isFalse();
            assertThat(metadata.flag("tokenizer.ggml.add_bos_token")).isTrue();
            assertThat(metadata.flag("tokenizer.ggml.add_space_prefix")).isTrue();
            assertThat(checkpoint.tensors()).extracting(TensorInfo::name).startsWith("token_embd.weight", "blk.0.attn_norm.weight", "blk.0.attn_q.weight")
                    .endsWith("output_norm.weight", "output.weight");
            assertThat(checkpoint.tensors()).filteredOn(tensor -> tensor.shape().size() == 1).extracting(TensorInfo::type).containsOnly(TensorType.F32);
            assertThat(checkpoint.tensors()).filteredOn(tensor -> tensor.shape().size() == 2).extracting(TensorInfo::type).containsOnly(TensorType.Q8_0);
        }
    }

    @Test
    void whatIsUnusualInAConfigurationIsKept() throws IOException {
        Path model = copyOfTiny("model");
        Path config = model.resolve("config.json");
        Files.writeString(config, Files.readString(config).replaceFirst("\\{",
                "{\"rope_scaling\": {\"rope_type\": \"linear\", \"factor\": 2.5}, \"bos_token_id\": 1, "));
        Path gguf = convert(model, "m.gguf", LoadOptions.defaults().quantize(WeightType.F32));
        Path again = convert(gguf, "again", LoadOptions.defaults());
        try (ModelSource before = ModelSource.open(model); ModelSource between = ModelSource.open(gguf); ModelSource after = ModelSource.open(again)) {
            assertThat(before.config().rope().scaling()).isEqualTo(new RopeScaling.Linear(2.5f));
            assertThat(after.config()).usingRecursiveComparison().ignoringFields("eosIds").isEqualTo(before.config());
            assertThat(between.config()).usingRecursiveComparison().ignoringFields("eosIds").isEqualTo(before.config());
        }
        assertThat(logitBits(again, LoadOptions.defaults())).isEqualTo(logitBits(model, LoadOptions.defaults()));
    }

    @ParameterizedTest
    @EnumSource(value = TensorType.class, names = {"F32", "F16", "BF16", "Q8_0", "Q4_0"})
    void ggufOfItsOwnTypesKeepsEveryBit(TensorType type) {
        Path original = TinyGguf.write(folder.resolve("tiny.gguf"), type, true);
        Path copy = convert(original, "copy.gguf", LoadOptions.defaults());
        assertSameTensors(copy, original);
    }

    private static void assertSameTensors(Path actual, Path expected) {
        try (GgufCheckpoint before = GgufCheckpoint.open(expected); GgufCheckpoint after = GgufCheckpoint.open(actual)) {
            assertThat(after.tensors()).hasSameSizeAs(before.tensors());
            for (TensorInfo tensor : before.tensors()) {
                TensorInfo same = after.require(tensor.name());
                assertThat(same.type()).as(tensor.name()).isEqualTo(tensor.type());
                assertThat(same.shape()).as(tensor.name()).isEqualTo(tensor.shape());
                assertThat(after.bytes(same).mismatch(before.bytes(tensor))).as(tensor.name()).isEqualTo(-1);
            }
        }
    }

    @Test
    void whatAGgufSaysOfItselfAndOfItsTokenizerIsTakenOver() throws IOException {
        Path plain = TinyGguf.write(folder.resolve("tiny.gguf"), TensorType.F16, true);
        Path original = GgufEdit.of(plain)
                .put("general.name", "Tiny")
                .put("general.license", "apache-2.0")
                .put("split.count", 1)
                .put("tokenizer.chat_template", "{{ messages }}")
                .put("tokenizer.ggml.odd", new int[] {7})
                .write(folder.resolve("original.gguf"));
        Path copy = convert(original, "copy.gguf", LoadOptions.defaults().quantize(WeightType.Q8_0));
        try (GgufCheckpoint checkpoint = GgufCheckpoint.open(copy)) {
            GgufMetadata metadata = checkpoint.metadata();
            assertThat(metadata.string("general.name")).isEqualTo("Tiny");
            assertThat(metadata.string("general.license")).isEqualTo("apache-2.0");
            assertThat(metadata.integer("general.file_type")).isEqualTo(7);
            assertThat(metadata.string("tokenizer.chat_template")).isEqualTo("{{ messages }}");
            assertThat(metadata.integers("tokenizer.ggml.odd")).containsExactly(7);
            assertThat(metadata.contains("split.count")).isFalse();
        }
        Path directory = convert(copy, "directory", LoadOptions.defaults());
        assertThat(json(directory.resolve("tokenizer_config.json")).get("chat_template").textValue()).isEqualTo("{{ messages }}");
        Path back = convert(directory, "back.gguf", LoadOptions.defaults());
        try (GgufCheckpoint checkpoint = GgufCheckpoint.open(back)) {
            assertThat(checkpoint.metadata().string("tokenizer.chat_template")).isEqualTo("{{ messages }}");
        }
    }

    @Test
    void chatTemplateOfItsOwnFileCountsFirst() throws IOException {
        Path model = copyOfTiny("model");
        Files.writeString(model.resolve("tokenizer_config.json"),
                "{\"chat_template\": [{\"name\": \"tool\", \"template\": \"T\"}, {\"name\": \"default\", \"template\": \"D\"}]}");
        assertThat(chatTemplate(convert(model, "list.gguf", LoadOptions.defaults()))).isEqualTo("D");
        Files.writeString(model.resolve("chat_template.jinja"), "J");
        assertThat(chatTemplate(convert(model, "file.gguf", LoadOptions.defaults()))).isEqualTo("J");
    }

    private static String chatTemplate(Path gguf) {
        try (GgufCheckpoint checkpoint = GgufCheckpoint.open(gguf)) {
            return checkpoint.metadata().string("tokenizer.chat_template");
        }
    }

    @Test
    void tiedOutputStaysTied() throws IOException {
        Path tied = TinyGguf.write(folder.resolve("tied.gguf"), TensorType.F32, false);
        Path directory = convert(tied, "tied", LoadOptions.defaults());
        Path back = convert(directory, "back.gguf", LoadOptions.defaults());
        assertThat(json(directory.resolve("config.json")).get("tie_word_embeddings").booleanValue()).isTrue();
        try (SafetensorsCheckpoint checkpoint = SafetensorsCheckpoint.openDirectory(directory, "model");
                GgufCheckpoint gguf = GgufCheckpoint.open(back)) {
            assertThat(checkpoint.find("lm_head.weight")).isNull();
            assertThat(gguf.find("output.weight")).isNull();
        }
        int[] expected = logitBits(tied, LoadOptions.defaults());
        assertThat(logitBits(directory, LoadOptions.defaults())).isEqualTo(expected);
        assertThat(logitBits(back, LoadOptions.defaults())).isEqualTo(expected);
    }

    @Test
    void shardsHaveAtMostTheirSizeOrOneTensor() throws IOException {
        Path target = folder.resolve("sharded");
        ConvertReport report = Llama.convert(ModelFolders.tiny("base"), target, LoadOptions.defaults(), ConvertOptions.defaults().shardBytes(100_000));
        int shards = report.files();
        assertThat(shards).isGreaterThan(3);
        assertThat(files(target)).contains("model-00001-of-%05d.safetensors".formatted(shards), "model-%05d-of-%05d.safetensors".formatted(shards, shards),
                "model.safetensors.index.json").doesNotContain("model.safetensors");
        JsonNode index = json(target.resolve("model.safetensors.index.json"));
        long total = 0;
        for (int i = 1; i <= shards; i++) {
            Path file = target.resolve("model-%05d-of-%05d.safetensors".formatted(i, shards));
            try (SafetensorsCheckpoint shard = SafetensorsCheckpoint.open(file)) {
                long bytes = shard.tensors().stream().mapToLong(TensorInfo::byteSize).sum();
                assertThat(bytes <= 100_000 || shard.tensors().size() == 1).as("%s has %d bytes", file, bytes).isTrue();
                shard.tensors().forEach(tensor -> assertThat(index.at("/weight_map").get(tensor.name()).textValue()).isEqualTo(file.getFileName().toString()));
                total += bytes;
            }
        }
        assertThat(index.at("/metadata/total_size").longValue()).isEqualTo(total);
        assertThat(logitBits(target, LoadOptions.defaults())).isEqualTo(logitBits(ModelFolders.tiny("base"), LoadOptions.defaults()));
    }

    @Test
    void directoryOfAQuantizedModelHasF16AndNormsAsTheyWere() throws IOException {
        Path quantized = TinyGguf.write(folder.resolve("tiny.gguf"), TensorType.Q8_0, true);
        Path directory = convert(quantized, "directory", LoadOptions.defaults());
        assertThat(json(directory.resolve("config.json")).get("torch_dtype").textValue()).isEqualTo("float16");
        try (SafetensorsCheckpoint checkpoint = SafetensorsCheckpoint.openDirectory(directory, "model")) {
            assertThat(checkpoint.require("model.layers.0.mlp.up_proj.weight").type()).isEqualTo(TensorType.F16);
            assertThat(checkpoint.require("model.norm.weight").type()).isEqualTo(TensorType.F32);
        }
        assertThatIllegalArgumentException()
                .isThrownBy(() -> convert(quantized, "other", LoadOptions.defaults().quantize(WeightType.Q8_0)))
                .withMessageContaining("q8_0").withMessageContaining(".gguf");
        assertThat(files(folder)).containsExactly("directory", "tiny.gguf");
    }

    @Test
    void progressEndsWithEverything() {
        List<LoadProgress> seen = new ArrayList<>();
        convert(ModelFolders.tiny("base"), "m.gguf", LoadOptions.defaults().onProgress(seen::add));
        LoadProgress last = seen.getLast();
        assertThat(last.tensorsDone()).isEqualTo(last.tensorCount()).isEqualTo(30);
        assertThat(last.bytesDone()).isEqualTo(last.byteCount());
    }

    @Test
    void aListenerThatThrowsEndsItAndNothingIsLeft() throws IOException {
        for (String output : List.of("m.gguf", "m")) {
            LoadOptions options = LoadOptions.defaults().onProgress(progress -> {
                if (progress.tensorsDone() == 5) {
                    throw new IllegalStateException("enough");
                }
            });
            assertThatThrownBy(() -> convert(ModelFolders.tiny("base"), output, options)).isInstanceOf(IllegalStateException.class).hasMessage("enough");
            assertThat(files(folder)).isEmpty();
        }
    }

    @Test
    void anInterruptEndsItAndNothingIsLeft() throws IOException {
        for (String output : List.of("m.gguf", "m")) {
            LoadOptions options = LoadOptions.defaults().threads(2).onProgress(progress -> Thread.currentThread().interrupt());
            try {
                assertThatThrownBy(() -> convert(ModelFolders.tiny("base"), output, options))
                        .isInstanceOf(YangtuoException.class).hasMessageContaining("interrupted");
            } finally {
                assertThat(Thread.interrupted()).isTrue();
            }
            assertThat(files(folder)).isEmpty();
        }
    }

    @Test
    void nothingIsWrittenWhereItIsReadFrom() throws IOException {
        Path gguf = TinyGguf.write(folder.resolve("tiny.gguf"), TensorType.F16, true);
        byte[] before = Files.readAllBytes(gguf);
        Path link = Files.createSymbolicLink(folder.resolve("link.gguf"), gguf);
        Path model = copyOfTiny("model");
        ConvertOptions force = ConvertOptions.defaults().replaceDirectory(true);
        for (Path output : List.of(gguf, link, folder.resolve("model/../tiny.gguf"))) {
            assertThatThrownBy(() -> Llama.convert(gguf, output, LoadOptions.defaults(), force))
                    .isInstanceOf(YangtuoException.class).hasMessageContaining("the model is read from there");
        }
        assertThatThrownBy(() -> Llama.convert(model, model, LoadOptions.defaults(), force))
                .isInstanceOf(YangtuoException.class).hasMessageContaining("the model is read from there");
        assertThatThrownBy(() -> Llama.convert(model, folder, LoadOptions.defaults(), force))
                .isInstanceOf(YangtuoException.class).hasMessageContaining("the model is read from there");
        assertThat(Files.readAllBytes(gguf)).isEqualTo(before);
        assertThat(files(model)).containsExactly("config.json", "model.safetensors", "tokenizer.model");
    }

    @Test
    void byteLevelTokenizerNeedsGguf() {
        Path original = ByteLevelGguf.write(folder.resolve("byte.gguf"));
        Path copy = convert(original, "copy.gguf", LoadOptions.defaults().quantize(WeightType.F16));
        try (GgufCheckpoint before = GgufCheckpoint.open(original); GgufCheckpoint after = GgufCheckpoint.open(copy)) {
            for (String key : List.of("tokenizer.ggml.tokens", "tokenizer.ggml.merges")) {
                assertThat(after.metadata().strings(key)).isEqualTo(before.metadata().strings(key));
            }
            assertThat(after.metadata().string("tokenizer.ggml.pre")).isEqualTo("llama-bpe");
        }
        assertThatThrownBy(() -> convert(original, "directory", LoadOptions.defaults()))
                .isInstanceOf(YangtuoException.class).hasMessageContaining("byte-level").hasMessageContaining(".gguf");
    }

    @Test
    void textThatIsNoUtf8IsTakenOverByteForByte() {
        Path plain = TinyGguf.write(folder.resolve("tiny.gguf"), TensorType.F16, true);
        byte[] odd = {3, 0, 0, 0, 0, 0, 0, 0, (byte) 0xFF, 'x', (byte) 0x80};
        Path original = GgufEdit.of(plain).pair("general.description", 8, odd).write(folder.resolve("odd.gguf"));
        Path copy = convert(original, "copy.gguf", LoadOptions.defaults());
        try (GgufCheckpoint checkpoint = GgufCheckpoint.open(copy)) {
            byte[] value = checkpoint.bytes(checkpoint.require("token_embd.weight")).toArray(ValueLayout.JAVA_BYTE);
            assertThat(value).isNotEmpty();
            assertThat(checkpoint.metadata().string("general.description")).isEqualTo("\uFFFDx\uFFFD");
        }
        assertThat(contains(copy, odd)).isTrue();
    }

    private static boolean contains(Path file, byte[] part) {
        try {
            return new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1)
                    .contains(new String(part, StandardCharsets.ISO_8859_1));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
