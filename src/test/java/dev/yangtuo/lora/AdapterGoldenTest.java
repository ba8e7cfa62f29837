package dev.yangtuo.lora;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.yangtuo.BackendType;
import dev.yangtuo.Engine;
import dev.yangtuo.KvType;
import dev.yangtuo.Llama;
import dev.yangtuo.LlamaCppOptions;
import dev.yangtuo.LoadOptions;
import dev.yangtuo.WeightType;
import dev.yangtuo.checkpoint.Checkpoint;
import dev.yangtuo.checkpoint.SafetensorsCheckpoint;
import dev.yangtuo.checkpoint.TensorInfo;
import dev.yangtuo.llamacpp.SharedLibrary;
import dev.yangtuo.model.LlamaCppFiles;
import dev.yangtuo.tensor.FloatRows;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every case of {@code models/adapters} (its README says what they are and how they were made): logits of base and adapters, in float32,
 * against dense arithmetic in PyTorch.
 */
class AdapterGoldenTest {
    /** Logits reach 24; a few hundred roundings of 2^-24 on the way, where the reference has none. */
    private static final double TOLERANCE = 2e-3;
    /** One of each kind whose adapters do nothing but add to matrices of layers: llama.cpp applies these itself. */
    private static final List<String> APPLIED = List.of(
            "base-q8-0", "bin-bf16", "gguf-lora-scaled", "patterns", "patterns-rslora", "scaled", "sharded", "wrong-rank");
    /** One of each kind that must be merged, or has no adapters. */
    private static final List<String> MERGED = List.of(
            "dora-after-plain", "embedding-tied", "expanded", "fan-in-fan-out", "float16", "lora-bias", "stack-scaled", "trainable-tokens");

    /** Of files for llama.cpp, shared by all cases as programs share it. */
    @TempDir
    private static Path cache;

    private static Path root() {
        try {
            return Path.of(AdapterGoldenTest.class.getResource("/models/adapters").toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    private static JsonNode read(String name) throws IOException {
        return new ObjectMapper().readTree(folder(name).resolve("case.json").toFile());
    }

    private static Path folder(String name) {
        return root().resolve("cases").resolve(name);
    }

    private static List<String> all() throws IOException {
        try (Stream<Path> folders = Files.list(root().resolve("cases"))) {
            return folders.map(folder -> folder.getFileName().toString()).sorted().toList();
        }
    }

    private static List<String> some() {
        return Stream.concat(APPLIED.stream(), MERGED.stream()).toList();
    }

    private static Llama load(String name, JsonNode golden, BackendType backend) {
        return Llama.load(base(golden), options(name, golden).backend(backend));
    }

    private static Path base(JsonNode golden) {
        return root().resolve("bases").resolve(golden.get("base").textValue());
    }

    private static LoadOptions options(String name, JsonNode golden) {
        LoadOptions options = LoadOptions.defaults().quantize(WeightType.F32).kvType(KvType.F32);
        options = options.loraFloat16(golden.path("float16").asBoolean());
        for (int i = 0; i < golden.get("loras").size(); i++) {
            Path adapter = folder(name).resolve(golden.get("loras").get(i).textValue()).normalize();
            options = options.lora(adapter, golden.has("scales") ? golden.get("scales").get(i).doubleValue() : 1);
        }
        return options;
    }

    private static float[] logits(Path folder, int count) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(folder.resolve("logits.f32"))).order(ByteOrder.LITTLE_ENDIAN);
        assertThat(bytes.remaining()).isEqualTo(count * Float.BYTES);
        float[] values = new float[count];
        bytes.asFloatBuffer().get(values);
        return values;
    }

    @ParameterizedTest
    @MethodSource("all")
    void logitsAreThoseOfTheDenseMerge(String name) throws IOException {
        JsonNode golden = read(name);
        try (Llama llama = load(name, golden, BackendType.AUTO)) {
            assertLogits(llama, name, golden);
            assertReport(new ObjectMapper().readTree(llama.report().mergeJson()), golden.get("merge"));
        }
    }

    private static void assertLogits(Llama llama, String name, JsonNode golden) throws IOException {
        int[] ids = new ObjectMapper().convertValue(golden.get("ids"), int[].class);
        int vocab = golden.get("vocab").intValue();
        float[] expected = logits(folder(name), ids.length * vocab);
        assertThat(llama.vocabSize()).isEqualTo(vocab);
        double[] largest = new double[1];
        int[] positions = new int[1];
        llama.logits(ids, (position, logits, offset) -> {
            assertThat(position).isEqualTo(positions[0]++);
            for (int i = 0; i < vocab; i++) {
                assertThat(logits[offset + i]).isFinite();
                largest[0] = Math.max(largest[0], Math.abs((double) logits[offset + i] - expected[position * vocab + i]));
            }
        });
        assertThat(positions[0]).isEqualTo(ids.length);
        assertThat(largest[0]).as("largest difference: %s", golden.get("what").textValue()).isLessThanOrEqualTo(TOLERANCE);
    }

    /** What llama.cpp is given, the adapters that it applies included, computed by our own engine. */
    @ParameterizedTest
    @MethodSource("some")
    void filesForLlamaCppAreTheDenseMergeToo(String name) throws IOException {
        JsonNode golden = read(name);
        LlamaCppFiles files = LlamaCppFiles.prepare(base(golden), options(name, golden).cache(cache).settings(), null);
        assertReport(new ObjectMapper().readTree(files.merge().json()), golden.get("merge"));
        boolean applied = APPLIED.contains(name);
        assertThat(files.adapters()).hasSize(applied ? golden.get("loras").size() : 0);
        assertThat(files.merge().adapters()).allSatisfy(adapter -> assertThat(adapter.source().merged()).isNotEqualTo(applied));
        LoadOptions options = LoadOptions.defaults().quantize(WeightType.F32).kvType(KvType.F32);
        for (LlamaCppFiles.LoraFile adapter : files.adapters()) {
            options = options.lora(adapter.file(), adapter.scale());
        }
        try (Llama llama = Llama.load(files.file(), options)) {
            assertLogits(llama, name, golden);
        }
    }

    @ParameterizedTest
    @MethodSource("some")
    void llamaCppComputesTheSame(String name) throws IOException {
        SharedLibrary.assumed();
        // Its kernel for flash attention rounds to float16.
        LlamaCppOptions exact = LlamaCppOptions.defaults().flashAttention(LlamaCppOptions.FlashAttention.OFF);
        JsonNode golden = read(name);
        try (Llama llama = Llama.load(base(golden), options(name, golden).cache(cache).engine(Engine.LLAMA_CPP).llamaCpp(exact)
                .context(64).maxSequences(1))) {
            assertLogits(llama, name, golden);
            assertReport(new ObjectMapper().readTree(llama.report().mergeJson()), golden.get("merge"));
        }
    }

    private static void assertReport(JsonNode report, JsonNode expected) {
        assertThat(report.get("adapters")).hasSameSizeAs(expected);
        for (int i = 0; i < expected.size(); i++) {
            JsonNode adapter = report.get("adapters").get(i);
            JsonNode counts = expected.get(i);
            assertThat(adapter.get("changed")).isEqualTo(counts.get("changed"));
            assertThat(adapter.get("replaced")).isEqualTo(counts.get("replaced"));
            assertThat(adapter.get("resized")).isEqualTo(counts.get("resized"));
            assertThat(adapter.get("biases")).isEqualTo(counts.get("biases"));
            assertThat(adapter.get("token_rows")).isEqualTo(counts.get("rows"));
            assertThat(adapter.get("vocabulary_after").intValue()).isEqualTo(counts.get("vocabulary").intValue());
            if (counts.has("overwritten")) {
                assertThat(adapter.get("overwritten")).isEqualTo(counts.get("overwritten"));
            }
        }
    }

    @Test
    void everyCaseIsThere() throws IOException {
        assertThat(all()).hasSizeGreaterThan(50);
    }

    @Test
    void mergingInFloat16GivesTheReferencesBits() throws IOException {
        Path folder = folder("float16");
        try (Checkpoint base = SafetensorsCheckpoint.openDirectory(root().resolve("bases/base"), "model");
                Checkpoint merged = SafetensorsCheckpoint.openDirectory(folder, "merged");
                LoraAdapter first = LoraAdapter.open(folder.resolve("first"));
                LoraAdapter second = LoraAdapter.open(folder.resolve("second"))) {
            LoraMerge merge = new LoraMerge(List.of(first, second), new LoraMerge.Base(root(), 300, false, true, rows -> rows));
            assertThat(merged.tensors()).isNotEmpty();
            for (TensorInfo tensor : merged.tensors()) {
                FloatRows rows = merge.apply(tensor.name(), base.rows(base.require(tensor.name())));
                assertThat(read(rows)).as(tensor.name()).isEqualTo(read(merged.rows(tensor)));
            }
        }
    }

    private static float[] read(FloatRows rows) {
        float[] values = new float[Math.toIntExact(rows.rows() * rows.columns())];
        rows.read(0, (int) rows.rows(), values, 0);
        return values;
    }
}
