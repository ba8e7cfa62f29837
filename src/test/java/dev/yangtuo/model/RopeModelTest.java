package dev.yangtuo.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.yangtuo.GenerateOptions;
import dev.yangtuo.Llama;
import dev.yangtuo.BackendType;
import dev.yangtuo.LoadOptions;
import dev.yangtuo.ModelFolders;
import dev.yangtuo.RopeScalingType;
import dev.yangtuo.WeightType;
import dev.yangtuo.checkpoint.GgufBuilder;
import dev.yangtuo.checkpoint.GgufCheckpoint;
import dev.yangtuo.checkpoint.GgufMetadata;
import dev.yangtuo.exception.CheckpointFormatException;
import dev.yangtuo.exception.YangtuoException;
import dev.yangtuo.kernel.ScalarBackend;
import dev.yangtuo.lora.LoraStack;
import dev.yangtuo.tensor.TensorType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Models whose RoPE is scaled and whose attention has a window: read, run, overridden, written and read again. */
class RopeModelTest {
    /** With contexts of the tiny model's size, so that the last of these are beyond them. */
    private static final int[] IDS = new SplittableRandom(3).ints(48, 3, 3000).toArray();

    @TempDir
    private Path folder;

    /** The tiny model with more in its configuration. */
    private Path model(String fields) throws IOException {
        Path target = Files.createDirectory(folder.resolve("model"));
        for (String file : List.of("config.json", "model.safetensors", "tokenizer.model")) {
            Files.copy(ModelFolders.tiny("base").resolve(file), target.resolve(file));
        }
        Path config = target.resolve("config.json");
        Files.writeString(config, Files.readString(config).replaceFirst("\\{", "{" + fields + ", "));
        return target;
    }

    private Path convert(Path model, String output, LoadOptions options) {
        Path target = folder.resolve(output);
        Llama.convert(model, target, options);
        return target;
    }

    private static int[] logitBits(Path model, LoadOptions options) {
        List<Integer> bits = new ArrayList<>();
        try (Llama llama = Llama.load(model, options)) {
            llama.logits(IDS, (position, logits, offset) -> {
                for (int i = 0; i < llama.vocabSize(); i += 7) {
                    bits.add(Float.floatToRawIntBits(logits[offset + i]));
                }
            });
        }
        return bits.stream().mapToInt(Integer::intValue).toArray();
    }

    private static ModelConfig config(Path model) {
        try (ModelSource source = ModelSource.open(model)) {
            return source.config();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "'rope_scaling': {'rope_type': 'linear', 'factor': 2.5}",
        "'rope_scaling': {'type': 'dynamic', 'factor': 2, 'original_max_position_embeddings': 20}",
        "'rope_scaling': {'rope_type': 'yarn', 'factor': 4.0, 'original_max_position_embeddings': 20}",
        "'rope_scaling': {'rope_type': 'yarn', 'factor': 3, 'beta_fast': 2.5, 'beta_slow': 0.3, 'attention_factor': 1.7, 'truncate': false}",
        "'rope_scaling': {'rope_type': 'llama3', 'factor': 32, 'low_freq_factor': 1, 'high_freq_factor': 4, 'original_max_position_embeddings': 8192}",
        "'sliding_window': 16",
        "'sliding_window': 16, 'max_window_layers': 1",
    })
    void whatAConfigurationSaysIsKeptByBothFormats(String fields) throws IOException {
        Path model = model(fields.replace('\'', '"'));
        Path gguf = convert(model, "m.gguf", LoadOptions.defaults().quantize(WeightType.F32));
        Path again = convert(gguf, "again", LoadOptions.defaults());
        ModelConfig expected = config(model);
        assertThat(expected.rope().scaling().equals(RopeScaling.NONE)).isEqualTo(fields.contains("window"));
        assertThat(config(again).rope()).isEqualTo(expected.rope());
        assertThat(config(gguf).window()).isEqualTo(expected.window());
        assertThat(config(again).window()).isEqualTo(expected.window());
        if (!fields.contains("llama3")) { // factors, there
            assertThat(config(gguf).rope()).isEqualTo(expected.rope());
        }
        int[] bits = logitBits(model, LoadOptions.defaults());
        assertThat(Arrays.equals(logitBits(gguf, LoadOptions.defaults()), bits)).as("GGUF").isTrue();
        assertThat(Arrays.equals(logitBits(again, LoadOptions.defaults()), bits)).as("directory made of the GGUF").isTrue();
        int[] plain = logitBits(ModelFolders.tiny("base"), LoadOptions.defaults());
        assertThat(Arrays.equals(plain, bits)).as("as if nothing were said").isFalse();
        if (fields.contains("window")) {
            int vocabulary = bits.length / IDS.length;
            assertThat(Arrays.mismatch(plain, bits) / vocabulary).as("the first token that does not see all before it").isEqualTo(16);
            assertThat(Arrays.equals(logitBits(model, LoadOptions.defaults().backend(BackendType.SCALAR)), bits)).as("scalar").isTrue();
        }
    }

    @Test
    void ntkIsWrittenAsTheBaseThatItIs() throws IOException {
        Path model = model("\"rope_scaling\": {\"type\": \"ntk\", \"alpha\": 4}");
        assertThat(config(model).rope()).isEqualTo(new RopeConfig(10_000, new RopeScaling.Ntk(4)));
        Path gguf = convert(model, "m.gguf", LoadOptions.defaults().quantize(WeightType.F32));
        Path directory = convert(model, "directory", LoadOptions.defaults());
        RopeConfig written = RopeConfig.plain(Rope.ntkTheta(10_000, 16, 4));
        assertThat(written.theta()).isCloseTo((float) (10_000 * Math.pow(4, 16 / 14.0)), within(0.01f));
        assertThat(config(gguf).rope()).isEqualTo(written);
        assertThat(config(directory).rope()).isEqualTo(written);
        int[] bits = logitBits(model, LoadOptions.defaults());
        assertThat(Arrays.equals(logitBits(gguf, LoadOptions.defaults()), bits)).isTrue();
        assertThat(Arrays.equals(logitBits(directory, LoadOptions.defaults()), bits)).isTrue();
    }

    @Test
    void ggufHasTheKeysThatOthersRead() throws IOException {
        Path model = model("\"rope_scaling\": {\"rope_type\": \"yarn\", \"factor\": 4.0, \"attention_factor\": 2, \"original_max_position_embeddings\": 64},"
                + " \"sliding_window\": 128, \"max_window_layers\": 2");
        try (GgufCheckpoint gguf = GgufCheckpoint.open(convert(model, "m.gguf", LoadOptions.defaults()))) {
            GgufMetadata metadata = gguf.metadata();
            assertThat(metadata.string("llama.rope.scaling.type")).isEqualTo("yarn");
            assertThat(metadata.number("llama.rope.scaling.factor")).isEqualTo(4);
            assertThat(metadata.integer("llama.rope.scaling.original_context_length")).isEqualTo(64);
            assertThat(metadata.number("llama.rope.scaling.attn_factor")).isCloseTo((float) (2 / (0.1 * Math.log(4) + 1)), within(1e-6f));
            assertThat(metadata.number("llama.rope.scaling.yarn_beta_fast")).isEqualTo(32);
            assertThat(metadata.number("llama.rope.scaling.yarn_beta_slow")).isEqualTo(1);
            assertThat(metadata.integer("llama.attention.sliding_window")).isEqualTo(128);
            assertThat(metadata.value("llama.attention.sliding_window_pattern")).isEqualTo(new boolean[] {false, false, true});
        }
        try (GgufCheckpoint gguf = GgufCheckpoint.open(convert(ModelFolders.tiny("base"), "dynamic.gguf",
                LoadOptions.defaults().ropeScaling(RopeScalingType.DYNAMIC).ropeFactor(2)))) {
            assertThat(gguf.metadata().string("llama.rope.scaling.type")).isEqualTo("none");
        }
    }

    @Test
    void factorsOfAGgufAreKept() throws IOException {
        Path plain = TinyGguf.write(folder.resolve("plain.gguf"), TensorType.F32, true);
        float[] factors = {1, 1, 1.5f, 2, 3, 4, 4.5f, 5};
        Path file = GgufEdit.of(plain).tensor(GgufRope.FACTORS, TensorType.F32, factors, 8).write(folder.resolve("factors.gguf"));
        assertThat(config(file).rope().scaling()).isEqualTo(new RopeScaling.Factors(List.of(1f, 1f, 1.5f, 2f, 3f, 4f, 4.5f, 5f)));
        assertThat(config(file).rope().scaling().name()).isEqualTo("factors");
        Path copy = convert(file, "copy.gguf", LoadOptions.defaults());
        assertThat(config(copy).rope()).isEqualTo(config(file).rope());
        assertThat(Arrays.equals(logitBits(copy, LoadOptions.defaults()), logitBits(file, LoadOptions.defaults()))).isTrue();
        assertThat(Arrays.equals(logitBits(plain, LoadOptions.defaults()), logitBits(file, LoadOptions.defaults()))).isFalse();
        assertThatThrownBy(() -> convert(file, "directory", LoadOptions.defaults())).isInstanceOf(YangtuoException.class)
                .hasMessageContaining("factors.gguf").hasMessageContaining("rope_freqs.weight").hasMessageContaining("write a GGUF file");
        assertThat(folder.resolve("directory")).doesNotExist();
        Path ones = GgufEdit.of(plain).tensor(GgufRope.FACTORS, TensorType.F32, new float[] {1, 1, 1, 1, 1, 1, 1, 1}, 8)
                .write(folder.resolve("ones.gguf"));
        assertThat(config(ones).rope()).isEqualTo(RopeConfig.plain(10_000));
    }

    /** Key, value and what the message says. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            llama.rope.scaling.type | longrope | llama.rope.scaling.type is 'longrope', which cannot be computed; 'linear' and 'yarn' can
            llama.rope.scaling.factor | -2.0 | the factor of the RoPE scaling linear is -2.0, must be finite and positive
            llama.rope.scaling.factor | NaN | the factor of the RoPE scaling linear is NaN
            llama.rope.scaling.factor | 0.0 | the factor of the RoPE scaling linear is 0.0
            llama.rope.freq_base | NaN | rope_theta is NaN
            llama.rope.scaling.attn_factor | 2.0 | llama.rope.scaling.attn_factor is 2.0, which cannot be computed; 1.0 can
            yarn llama.rope.scaling.yarn_ext_factor | 0.5 | llama.rope.scaling.yarn_ext_factor is 0.5, which cannot be computed; 1.0 can
            yarn llama.rope.scaling.yarn_log_multiplier | 0.1 | llama.rope.scaling.yarn_log_multiplier is 0.1
            yarn llama.rope.scaling.factor | 0.5 | the factor of the RoPE scaling yarn is 0.5, must be finite and at least 1
            yarn llama.rope.scaling.original_context_length | 0 | the original context of the RoPE scaling yarn is 0, must be at least 1
            yarn llama.rope.scaling.yarn_beta_fast | 0.5 | beta_fast of the RoPE scaling yarn is 0.5, must be greater than beta_slow, 1.0
            yarn llama.rope.scaling.yarn_beta_slow | -1.0 | beta_slow of the RoPE scaling yarn is -1.0
            yarn llama.rope.scaling.attn_factor | -1.0 | the attention factor of the RoPE scaling yarn is -1.
            yangtuo.rope.scaling.type | yarn | yangtuo.rope.scaling.type is 'yarn'; only 'dynamic' is under this key
            yangtuo.rope.scaling.type | dynamic | yangtuo.rope.scaling.factor
            llama.attention.sliding_window | -1 | llama.attention.sliding_window""")
    void wrongValuesOfAGgufAreNamed(String key, String value, String part) {
        GgufBuilder edit = GgufEdit.of(TinyGguf.write(folder.resolve("plain.gguf"), TensorType.F32, true), Set.of("llama.rope.freq_base"));
        String name = key.replace("yarn ", "");
        if (key.startsWith("yarn ")) {
            edit.put("llama.rope.scaling.type", "yarn");
        }
        edit.put(name, value.matches("-?[0-9]+") ? Integer.valueOf(value) : value.matches("NaN|-?[0-9.]+") ? Float.valueOf(value) : value);
        Path file = edit.write(folder.resolve("wrong.gguf"));
        assertThatThrownBy(() -> ModelSource.open(file)).isInstanceOf(CheckpointFormatException.class).hasMessageContaining("wrong.gguf")
                .hasMessageContaining(part);
    }

    @Test
    void wrongFactorsAndWindowsOfAGgufAreNamed() {
        Path plain = TinyGguf.write(folder.resolve("plain.gguf"), TensorType.F32, true);
        Path nan = GgufEdit.of(plain).tensor(GgufRope.FACTORS, TensorType.F32, new float[] {1, 1, Float.NaN, 2, 3, 4, 5, 6}, 8)
                .write(folder.resolve("nan.gguf"));
        assertThatThrownBy(() -> ModelSource.open(nan)).isInstanceOf(CheckpointFormatException.class)
                .hasMessageContaining("nan.gguf").hasMessageContaining("factor 2 of rope_freqs.weight is NaN");
        Path longer = GgufEdit.of(plain).tensor(GgufRope.FACTORS, TensorType.F32, new float[9], 9).write(folder.resolve("longer.gguf"));
        assertThatThrownBy(() -> ModelSource.open(longer)).isInstanceOf(CheckpointFormatException.class)
                .hasMessageContaining("longer.gguf").hasMessageContaining("'rope_freqs.weight' has shape [9], must be [8]");
        Path both = GgufEdit.of(plain).tensor(GgufRope.FACTORS, TensorType.F32, new float[] {1, 1, 1, 2, 3, 4, 5, 6}, 8)
                .put("llama.rope.scaling.factor", 4f).write(folder.resolve("both.gguf"));
        assertThatThrownBy(() -> ModelSource.open(both)).isInstanceOf(CheckpointFormatException.class)
                .hasMessageContaining("both the RoPE scaling 'linear'");
        Path window = GgufEdit.of(plain).put("llama.attention.sliding_window", 7).put("llama.attention.sliding_window_pattern", 2)
                .write(folder.resolve("window.gguf"));
        assertThatThrownBy(() -> ModelSource.open(window)).isInstanceOf(CheckpointFormatException.class)
                .hasMessageContaining("sliding_window_pattern");
    }

    @Test
    void converterFilesAreRead() {
        Path plain = TinyGguf.write(folder.resolve("plain.gguf"), TensorType.F32, true);
        Path old = GgufEdit.of(plain).put("llama.rope.scale_linear", 4f).write(folder.resolve("old.gguf"));
        assertThat(config(old).rope().scaling()).isEqualTo(new RopeScaling.Linear(4));
        Path untyped = GgufEdit.of(plain).put("llama.rope.scaling.factor", 4f).write(folder.resolve("untyped.gguf"));
        assertThat(config(untyped).rope().scaling()).isEqualTo(new RopeScaling.Linear(4));
        Path yarn = GgufEdit.of(plain).put("llama.rope.scaling.type", "yarn").put("llama.rope.scaling.factor", 4f)
                .put("llama.rope.scaling.attn_factor", 2f)
                .put("llama.rope.scaling.yarn_ext_factor", -1f).write(folder.resolve("yarn.gguf"));
        assertThat(config(yarn).rope().scaling())
                .isEqualTo(new RopeScaling.Yarn(4, 256, 2 * RopeScaling.Yarn.attentionFactor(4), 32, 1, true));
    }

    private static LoadSettings settings(RopeOverride rope, int context) {
        return new LoadSettings(LoraStack.NONE, TypeMix.of(TensorType.F32), TensorType.F32, () -> new ScalarBackend(1), 1, context, 2,
                0, (name, done, count, bytes, byteCount) -> {}, null, rope, DeviceChoice.PROCESSOR);
    }

    private static float[] last(Model model, int ropeLength, int step) {
        float[] logits = new float[model.vocabSize()];
        try (Sequence sequence = model.newSequence()) {
            sequence.ropeLength(ropeLength);
            model.prefill(sequence, IDS, step, logits, () -> true);
        }
        return logits;
    }

    /** The prompt is longer than the original context, so that each of its positions has the angles of its whole length. */
    @Test
    void dynamicNtkDoesNotDependOnHowAPromptIsCut() throws IOException {
        Path model = model("\"rope_scaling\": {\"type\": \"dynamic\", \"factor\": 2, \"original_max_position_embeddings\": 20}");
        try (Model loaded = ModelLoader.load(model, settings(RopeOverride.NONE, 100)).model()) {
            float[] whole = last(loaded, IDS.length, IDS.length);
            for (int step : new int[] {1, 7, 20, 47}) {
                assertThat(last(loaded, IDS.length, step)).as("%d at a time", step).isEqualTo(whole);
            }
            assertThat(last(loaded, 0, IDS.length)).as("length not known").isEqualTo(last(loaded, 0, 1)).isNotEqualTo(whole);
            assertThat(last(loaded, 100, 7)).isNotEqualTo(whole);
            try (Sequence sequence = loaded.newSequence()) {
                assertThatThrownBy(() -> sequence.ropeLength(101)).isInstanceOf(IllegalArgumentException.class).hasMessageContaining("101");
                assertThatThrownBy(() -> sequence.ropeLength(-1)).isInstanceOf(IllegalArgumentException.class);
            }
        }
    }

    /** The last position of the prompt has the angles of the prompt's length, as do those of {@code logits}. */
    @Test
    void generationTellsTheLengthOfItsPrompt() throws IOException {
        Path model = model("\"rope_scaling\": {\"type\": \"dynamic\", \"factor\": 8, \"original_max_position_embeddings\": 4}");
        try (Llama llama = Llama.load(model)) {
            int[] best = new int[1];
            llama.logits(IDS, (position, logits, offset) -> {
                for (int id = 0; position == IDS.length - 1 && id < llama.vocabSize(); id++) {
                    best[0] = logits[offset + id] > logits[offset + best[0]] ? id : best[0];
                }
            });
            assertThat(llama.generate(IDS, GenerateOptions.defaults().greedy().maxTokens(1)).result().ids()).containsExactly(best[0]);
        }
    }

    @Test
    void optionsTakeThePlaceOfWhatTheModelSays() throws IOException {
        LoadOptions options = LoadOptions.defaults().ropeScaling(RopeScalingType.YARN).ropeFactor(4);
        Path yarn = model("\"rope_scaling\": {\"type\": \"yarn\", \"factor\": 4}");
        int[] expected = logitBits(yarn, LoadOptions.defaults());
        assertThat(Arrays.equals(logitBits(ModelFolders.tiny("base"), options), expected)).isTrue();
        int[] unscaled = logitBits(ModelFolders.tiny("base"), LoadOptions.defaults());
        assertThat(Arrays.equals(logitBits(yarn, LoadOptions.defaults().ropeScaling(RopeScalingType.NONE)), unscaled)).isTrue();
        assertThat(Arrays.equals(logitBits(yarn, LoadOptions.defaults().ropeScaling(RopeScalingType.YARN)), expected)).isTrue();
        assertThat(Arrays.equals(logitBits(yarn, LoadOptions.defaults().ropeFactor(2)), expected)).isFalse();
        assertThat(Arrays.equals(logitBits(ModelFolders.tiny("base"), LoadOptions.defaults().ropeBase(20_000)), unscaled)).isFalse();
        Path written = convert(ModelFolders.tiny("base"), "written", options);
        assertThat(config(written).rope().scaling()).isEqualTo(RopeScaling.Yarn.of(4, 256));
    }

    @Test
    void overridesKeepWhatTheyDoNotName() {
        ModelConfig base = config(ModelFolders.tiny("base"));
        Path path = Path.of("m");
        RopeScaling.Yarn yarn = new RopeScaling.Yarn(4, 100, 1.5f, 24, 2, false);
        ModelConfig scaled = base.withRope(new RopeConfig(500, yarn));
        assertThat(RopeOverride.NONE.applyTo(scaled, path)).isSameAs(scaled);
        assertThat(new RopeOverride(null, 8f, null).applyTo(scaled, path).rope()).isEqualTo(new RopeConfig(500, yarn.withFactor(8)));
        assertThat(new RopeOverride(null, null, 7f).applyTo(scaled, path).rope()).isEqualTo(new RopeConfig(7, yarn));
        assertThat(new RopeOverride(RopeOverride.Kind.DYNAMIC, 2f, null).applyTo(scaled, path).rope().scaling())
                .isEqualTo(new RopeScaling.Dynamic(2, 100));
        assertThat(new RopeOverride(RopeOverride.Kind.LLAMA3, 2f, null).applyTo(base, path).rope().scaling())
                .isEqualTo(new RopeScaling.Llama3(2, 1, 4, 256));
        assertThat(yarn.withFactor(8).attentionFactor()).isEqualTo(1.5f);
        assertThat(RopeScaling.Yarn.of(4, 100).withFactor(8)).isEqualTo(RopeScaling.Yarn.of(8, 100));
    }

    @Test
    void optionsThatAreNotEnoughAreRefused() {
        Path base = ModelFolders.tiny("base");
        assertThatThrownBy(() -> Llama.load(base, LoadOptions.defaults().ropeFactor(2))).isInstanceOf(YangtuoException.class)
                .hasMessageContaining("base").hasMessageContaining("the model's scaling (none) has none");
        assertThatThrownBy(() -> Llama.load(base, LoadOptions.defaults().ropeScaling(RopeScalingType.YARN))).isInstanceOf(YangtuoException.class)
                .hasMessageContaining("yarn needs a factor");
        assertThatThrownBy(() -> Llama.load(base, LoadOptions.defaults().ropeScaling(RopeScalingType.NONE).ropeFactor(2)))
                .isInstanceOf(YangtuoException.class)
                .hasMessageContaining("leave the factor out");
        assertThatThrownBy(() -> Llama.load(base, LoadOptions.defaults().ropeScaling(RopeScalingType.NTK).ropeFactor(0.5)))
                .isInstanceOf(YangtuoException.class)
                .hasMessageContaining("the factor of the RoPE scaling ntk is 0.5, must be finite and at least 1");
        for (double wrong : new double[] {0, -1, Double.NaN, 1e300}) {
            assertThatThrownBy(() -> LoadOptions.defaults().ropeFactor(wrong)).isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> LoadOptions.defaults().ropeBase(wrong)).isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void metaFilesSayWhetherRopeIsScaledAndHowLongTheWindowIs() throws Exception {
        Path meta = Path.of(RopeModelTest.class.getResource("/checkpoint/pytorch/meta-1").toURI());
        for (Path file : List.of(Path.of("consolidated.00.pth"), Path.of("params.json"))) {
            Files.copy(meta.resolve(file), folder.resolve(file));
        }
        Path params = folder.resolve("params.json");
        String plain = Files.readString(params).replaceAll(",? ?\"max_seq_len\": [^,}]*", "");
        Files.writeString(params, plain.replaceFirst("\\{", "{\"use_scaled_rope\": true, \"sliding_window\": 9, "));
        assertThat(config(folder).rope().scaling()).isEqualTo(new RopeScaling.Llama3(8, 1, 4, 8192));
        assertThat(config(folder).contextLength()).isEqualTo(131_072);
        assertThat(config(folder).windowOf(0)).isEqualTo(9);
        Files.writeString(params, plain.replaceFirst("\\{", "{\"use_scaled_rope\": true, \"rope_scaling_factor\": 32, "));
        assertThat(config(folder).rope().scaling()).isEqualTo(new RopeScaling.Llama3(32, 1, 4, 8192));
    }
}
