package dev.yangtuo.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.yangtuo.LoadOptions;
import dev.yangtuo.ModelFolders;
import dev.yangtuo.RopeScalingType;
import dev.yangtuo.WeightType;
import dev.yangtuo.checkpoint.GgufBuilder;
import dev.yangtuo.checkpoint.GgufCheckpoint;
import dev.yangtuo.checkpoint.SafetensorsBuilder;
import dev.yangtuo.exception.AdapterException;
import dev.yangtuo.exception.CheckpointFormatException;
import dev.yangtuo.exception.TokenizerFormatException;
import dev.yangtuo.exception.YangtuoException;
import dev.yangtuo.llamacpp.SyntheticGguf;
import dev.yangtuo.llamacpp.VocabularyKind;
import dev.yangtuo.tensor.TensorType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What llama.cpp is given; nothing here needs it. {@code AdapterGoldenTest} compares what these files compute. */
class LlamaCppFilesTest {
    private static final Path BASE = ModelFolders.tiny("base");
    private static final Path PLAIN = ModelFolders.tiny("plain");

    @TempDir
    private Path folder;

    private LoadOptions options() {
        return LoadOptions.defaults().cache(folder.resolve("cache"));
    }

    private static LlamaCppFiles prepare(Path model, LoadOptions options) {
        return LlamaCppFiles.prepare(model, options.settings(), null);
    }

    private List<Path> kept(String ending) throws IOException {
        try (Stream<Path> files = Files.list(folder.resolve("cache"))) {
            return files.filter(file -> file.toString().endsWith(ending)).toList();
        }
    }

    private Path qwen2() {
        return SyntheticGguf.writeQwen2(folder.resolve("qwen2.gguf"));
    }

    @Test
    void aGgufFileIsGivenAsItIs() {
        Path model = TinyGguf.write(folder.resolve("tiny.gguf"), TensorType.Q8_0, true);
        LlamaCppFiles files = prepare(model, options());
        assertThat(files.file()).isEqualTo(model);
        assertThat(files.cache()).isEqualTo(CacheUse.NONE);
        assertThat(files.adapters()).isEmpty();
        assertThat(files.architecture()).isEqualTo("llama");
        assertThat(files.weightTypes()).containsExactly("Q8_0");
        assertThat(files.eosIds()).containsExactly(files.tokenizer().eosId());
        assertThat(files.layers()).isEqualTo(3);
        assertThat(files.dim()).isEqualTo(64);
        assertThat(files.contextLength()).isEqualTo(256);
        assertThat(folder.resolve("cache")).doesNotExist();
    }

    @Test
    void anotherArchitectureIsGivenAsItIs() {
        Path model = qwen2();
        LlamaCppFiles files = prepare(model, options().ropeBase(5000));
        assertThat(files.file()).isEqualTo(model);
        assertThat(files.architecture()).isEqualTo("qwen2");
        assertThat(files.rope().theta()).isEqualTo(5000f);
        assertThat(files.baseVocabSize()).isEqualTo(files.tokenizer().vocabSize());
        assertThat(files.weightTypes()).containsExactly("F32");
        assertThatThrownBy(() -> prepare(model, options().quantize(WeightType.Q4_0)))
                .isInstanceOf(YangtuoException.class)
                .hasMessageContaining("'qwen2'")
                .hasMessageContaining("llama-quantize");
    }

    @Test
    void aTokenizerThatOursCannotReadIsAskedForElsewhere() {
        Path model = GgufEdit.of(qwen2(), Set.of("tokenizer.ggml.pre")).put("tokenizer.ggml.pre", "bloom").write(folder.resolve("bloom.gguf"));
        assertThatThrownBy(() -> prepare(model, options())).hasMessageContaining("'bloom'");
        List<String> asked = new ArrayList<>();
        LlamaCppFiles files = LlamaCppFiles.prepare(model, options().settings(), (file, reason) -> {
            asked.add(file + " " + reason.getMessage());
            return prepare(qwen2(), options()).tokenizer();
        });
        assertThat(asked).hasSize(1).first().asString().startsWith(model.toString()).contains("'bloom'");
        assertThat(files.file()).isEqualTo(model);
    }

    /** llama.cpp has no such scaling: up to the original context, of 256 tokens, there is nothing to scale. */
    @Test
    void dynamicNtkIsRefusedWhereItScales() {
        LoadOptions dynamic = options().ropeScaling(RopeScalingType.DYNAMIC).ropeFactor(4);
        assertThat(prepare(BASE, dynamic).reach()).isEqualTo(1024);
        assertThat(prepare(BASE, dynamic.context(256)).contextLength()).isEqualTo(256);
        assertThatThrownBy(() -> prepare(BASE, dynamic.context(257)))
                .isInstanceOf(YangtuoException.class)
                .hasMessageStartingWith(BASE + ": ")
                .hasMessageContainingAll("dynamic NTK", "257", "engine yangtuo", "at most 256");
    }

    @Test
    void anOtherModelIsConvertedOnce() throws IOException {
        LlamaCppFiles first = prepare(BASE, options());
        assertThat(first.cache()).isEqualTo(CacheUse.WRITTEN);
        byte[] written = Files.readAllBytes(first.file());
        LlamaCppFiles second = prepare(BASE, options());
        assertThat(second.cache()).isEqualTo(CacheUse.READ);
        assertThat(second.file()).isEqualTo(first.file());
        assertThat(Files.readAllBytes(second.file())).isEqualTo(written);
        assertThat(kept(".gguf")).hasSize(1);
        assertThat(ModelLoader.check(first.file()).config()).usingRecursiveComparison().ignoringFields("eosIds")
                .isEqualTo(ModelLoader.check(BASE).config());
    }

    @Test
    void eachTypeAndContentHasAFileOfItsOwnAndScalesHaveNone() throws IOException {
        prepare(BASE, options());
        prepare(BASE, options().quantize(WeightType.Q8_0));
        prepare(BASE, options().ropeBase(5000));
        assertThat(kept(".gguf")).hasSize(3);
        LlamaCppFiles half = prepare(BASE, options().lora(PLAIN, 0.5));
        LlamaCppFiles whole = prepare(BASE, options().lora(PLAIN));
        assertThat(kept(".gguf")).hasSize(4);
        assertThat(half.adapters().getFirst().file()).isEqualTo(whole.adapters().getFirst().file());
        assertThat(half.adapters().getFirst().scale()).isEqualTo(0.5);
        // Merged in float16 the scale does count.
        prepare(BASE, options().lora(PLAIN, 0.5).loraFloat16(true));
        prepare(BASE, options().lora(PLAIN).loraFloat16(true));
        assertThat(kept(".gguf")).hasSize(6);
    }

    @Test
    void normsOfAMergeAreKnownAgain() {
        LoadOptions merged = options().lora(PLAIN, 0.5).loraFloat16(true);
        LlamaCppFiles first = prepare(BASE, merged);
        LlamaCppFiles second = prepare(BASE, merged);
        assertThat(second.cache()).isEqualTo(CacheUse.READ);
        assertThat(second.merge()).isEqualTo(first.merge());
        assertThat(first.merge().adapters().getFirst().relativeNorm()).isPositive();
        assertThat(first.merge().adapters().getFirst().source().merged()).isTrue();
        assertThat(first.adapters()).isEmpty();
    }

    @Test
    void anAppliedAdapterIsReportedAsSuch() {
        LlamaCppFiles files = prepare(BASE, options().lora(PLAIN));
        assertThat(files.merge().describe()).contains("21 matrices changed", "applied by llama.cpp");
        assertThat(files.merge().adapters().getFirst().source().merged()).isFalse();
        assertThat(files.merge().adapters().getFirst().relativeNorm()).isNaN();
    }

    @Test
    void aDamagedFileOfTheCacheIsWrittenAnew() throws IOException {
        Path file = prepare(BASE, options()).file();
        byte[] whole = Files.readAllBytes(file);
        byte[] changed = whole.clone();
        changed[changed.length - 100] ^= 1;
        for (byte[] damaged : List.of(changed, Arrays.copyOf(whole, whole.length - 64), new byte[0])) {
            Files.write(file, damaged);
            assertThat(prepare(BASE, options()).cache()).isEqualTo(CacheUse.WRITTEN);
            assertThat(Files.readAllBytes(file)).isEqualTo(whole);
        }
        Files.delete(kept(".note").getFirst());
        assertThat(prepare(BASE, options()).cache()).isEqualTo(CacheUse.WRITTEN);
        // A copy has another stamp, but the same contents.
        Files.delete(folder.resolve("cache/index"));
        assertThat(prepare(BASE, options()).cache()).isEqualTo(CacheUse.READ);
    }

    @Test
    void aFolderThatOthersCanWriteIsRefused() throws IOException {
        Path cache = Files.createDirectory(folder.resolve("cache"));
        Files.setPosixFilePermissions(cache, PosixFilePermissions.fromString("rwxrwxrwx"));
        assertThatThrownBy(() -> prepare(BASE, options())).isInstanceOf(YangtuoException.class).hasMessageContaining("--cache").hasMessageContaining("chmod go-w");
    }

    @Test
    void aFileCutInHalfIsRefused() throws IOException {
        for (Path whole : List.of(qwen2(), TinyGguf.write(folder.resolve("tiny.gguf"), TensorType.F16, true))) {
            byte[] bytes = Files.readAllBytes(whole);
            Path half = Files.write(folder.resolve("half.gguf"), Arrays.copyOf(bytes, bytes.length / 2));
            assertThatThrownBy(() -> prepare(half, options())).isInstanceOf(CheckpointFormatException.class).hasMessageStartingWith(half.toString());
        }
    }

    /** Each of these ends a process that gives the file to llama.cpp 0.5.0, or would never end. */
    @ParameterizedTest
    @CsvSource({
        "qwen2.block_count, 513, block_count", "qwen2.block_count, 0, block_count", "qwen2.attention.head_count, 3, multiple",
        "qwen2.attention.head_count, 8, attn_q", "qwen2.attention.head_count_kv, 3, multiple", "qwen2.attention.key_length, 32, heads",
        "qwen2.rope.dimension_count, 8, dimension_count", "qwen2.expert_count, 4, expert_used_count", "qwen2.expert_used_count, 2, expert_used_count",
        "qwen2.nextn_predict_layers, 3, nextn_predict_layers", "qwen2.pooling_type, 9, pooling_type",
        "qwen2.attention.sliding_window_pattern, 1, sliding_window_pattern",
    })
    void numbersThatLlamaCppAssertsAreRefused(String key, int value, String named) {
        refused(model -> GgufEdit.of(model, Set.of(key)).put("qwen2.attention.sliding_window", 4).put(key, value), named);
    }

    @Test
    void otherHostileValuesAreRefused() {
        refused(model -> GgufEdit.of(model).put("qwen2.rope.scaling.type", "dynamic"), "rope.scaling.type");
        refused(model -> GgufEdit.of(model, Set.of("qwen2.attention.layer_norm_rms_epsilon")).put("qwen2.attention.layer_norm_rms_epsilon", -1f), "epsilon");
        refused(model -> GgufEdit.of(model).put("qwen2.rope.dimension_sections", new int[] {0, 0, 0, 0}), "dimension_sections");
        refused(model -> GgufEdit.of(model).put("general.type", "adapter"), "general.type");
        refused(model -> GgufEdit.of(model).alignment(16).put("general.alignment", 16), "general.alignment");
        refused(model -> GgufEdit.of(model).put("qwen2.block_count\0", 7), "NUL");
        refused(model -> GgufEdit.of(model, Set.of("tokenizer.ggml.model")).put("tokenizer.ggml.model", "none"), "'none'");
    }

    @Test
    void tokensThatAreTheSameInCAreRefused() {
        refused(model -> {
            String[] tokens;
            try (GgufCheckpoint gguf = GgufCheckpoint.open(model)) {
                tokens = gguf.metadata().strings(GgufTokenizer.TOKENS);
            }
            tokens[20] = "x\0one";
            tokens[21] = "x\0two";
            return GgufEdit.of(model, Set.of(GgufTokenizer.TOKENS)).put(GgufTokenizer.TOKENS, tokens);
        }, "piece 21");
    }

    @Test
    void normsOfATypeThatKernelsDoNotTakeAreRefused() {
        refused(model -> GgufEdit.of(model).rawTensor("blk.0.extra_norm.weight", 1, new byte[64], 32), "extra_norm");
        refused(model -> GgufEdit.of(model).rawTensor("blk.0.extra.weight", 26, new byte[256], 32, 2), "blk.0.extra.weight");
    }

    private void refused(Change change, String named) {
        Path damaged = change.apply(qwen2()).write(folder.resolve("damaged.gguf"));
        assertThatThrownBy(() -> prepare(damaged, options())).isInstanceOfAny(CheckpointFormatException.class, TokenizerFormatException.class)
                .hasMessageStartingWith(damaged.toString()).hasMessageContaining(named);
    }

    private interface Change {
        GgufBuilder apply(Path model);
    }

    @Test
    void adaptersOfAnotherArchitectureKeepTheirRows() throws IOException {
        Path adapter = peft(64, "q_proj");
        LlamaCppFiles files = prepare(qwen2(), options().lora(adapter, 2));
        assertThat(files.cache()).isEqualTo(CacheUse.NONE);
        assertThat(files.merge().describe()).contains("1 matrix changed", "scale 2.0, applied by llama.cpp");
        LlamaCppFiles.LoraFile file = files.adapters().getFirst();
        assertThat(file.scale()).isEqualTo(2);
        try (GgufCheckpoint gguf = GgufCheckpoint.open(file.file())) {
            assertThat(gguf.metadata().string("general.architecture")).isEqualTo("qwen2");
            assertThat(gguf.metadata().string("adapter.type")).isEqualTo("lora");
            assertThat(gguf.metadata().number("adapter.lora.alpha")).isEqualTo(2);
            float[] b = new float[64];
            gguf.rows(gguf.require("blk.1.attn_q.weight.lora_b")).read(0, 64, b, 0);
            for (int row = 0; row < b.length; row++) {
                assertThat(b[row]).isEqualTo(row);
            }
        }
        // The file is a GGUF adapter itself.
        assertThat(prepare(qwen2(), options().lora(file.file())).adapters().getFirst().file()).isEqualTo(file.file());
    }

    @Test
    void adaptersThatDoNotFitAnotherArchitectureAreRefused() throws IOException {
        assertThatThrownBy(() -> prepare(qwen2(), options().lora(peft(32, "q_proj")))).isInstanceOf(AdapterException.class).hasMessageContaining("blk.1.attn_q.weight");
        assertThatThrownBy(() -> prepare(qwen2(), options().lora(peft(64, "w_pack")))).isInstanceOf(AdapterException.class).hasMessageContaining("w_pack");
        Path embeddings = ModelFolders.DEMO.resolve("chinese-lora");
        assertThatThrownBy(() -> prepare(qwen2(), options().lora(embeddings))).isInstanceOf(AdapterException.class).hasMessageContaining("merge_and_unload");
        Path other = SyntheticGguf.mamba(VocabularyKind.QWEN2).write(folder.resolve("mamba.gguf"));
        assertThatThrownBy(() -> prepare(other, options().lora(peft(64, "q_proj")))).isInstanceOf(AdapterException.class).hasMessageContaining("convert_lora_to_gguf.py");
        Path wrong = new GgufBuilder().put("general.type", "adapter").put("adapter.type", "lora").put("general.architecture", "qwen2").put("adapter.lora.alpha", 4)
                .write(folder.resolve("wrong.gguf"));
        assertThatThrownBy(() -> prepare(qwen2(), options().lora(wrong))).isInstanceOf(AdapterException.class).hasMessageContaining("adapter.lora.alpha");
    }

    /** An adapter of layer 1 whose B counts its rows. */
    private Path peft(int rows, String module) throws IOException {
        Path adapter = Files.createDirectories(folder.resolve("adapter"));
        Files.writeString(adapter.resolve("adapter_config.json"), "{\"peft_type\": \"LORA\", \"r\": 1, \"lora_alpha\": 2}");
        float[] a = new float[64];
        float[] b = new float[rows];
        for (int row = 0; row < rows; row++) {
            b[row] = row;
        }
        String name = "base_model.model.model.layers.1.self_attn." + module;
        new SafetensorsBuilder()
                .tensor(name + ".lora_A.weight", TensorType.F32, a, 1, 64)
                .tensor(name + ".lora_B.weight", TensorType.F32, b, rows, 1)
                .write(adapter.resolve("adapter_model.safetensors"));
        return adapter;
    }
}
