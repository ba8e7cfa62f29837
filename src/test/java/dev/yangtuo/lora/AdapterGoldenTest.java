package dev.yangtuo.lora;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.yangtuo.BackendType;
import dev.yangtuo.KvType;
import dev.yangtuo.Llama;
import dev.yangtuo.LoadOptions;
import dev.yangtuo.WeightType;
import dev.yangtuo.exception.YangtuoException;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every case of {@code models/adapters} (its README says what they are and how they were made): logits of base and adapters, in float32,
 * against dense arithmetic in PyTorch.
 */
class AdapterGoldenTest {
    /** Logits reach 24; a few hundred roundings of 2^-24 on the way, where the reference has none. */
    private static final double TOLERANCE = 2e-3;

    /** Cases that are refused by name so far. A case that can be loaded must leave this list. */
    private static final Set<String> NOT_YET = Set.of(
            "base-gguf-biases", "base-gguf-lora-bias", "base-q8-0-dora", "bias-all", "bias-lora-only", "biased",
            "dora", "dora-after-plain", "dora-fan-in-fan-out", "dora-rslora", "dora-spellings", "embedding", "embedding-base-layer",
            "embedding-default", "embedding-dora", "embedding-tied", "gguf-lora", "gguf-lora-f16", "gguf-lora-q8-0", "gguf-lora-without-alpha",
            "lora-bias", "lora-bias-without-base-bias", "modules-to-save", "trainable-tokens", "trainable-tokens-of-both",
            "trainable-tokens-resized", "trainable-tokens-tied", "untied-by-output");

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

    /** All cases but those that need an option that does not exist yet: a scale of the user's, rounding to float16. */
    private static List<String> all() throws IOException {
        try (Stream<Path> folders = Files.list(root().resolve("cases"))) {
            List<String> names = folders.map(folder -> folder.getFileName().toString()).sorted().toList();
            return names.stream().filter(AdapterGoldenTest::needsNoOption).toList();
        }
    }

    private static boolean needsNoOption(String name) {
        try {
            JsonNode golden = read(name);
            return !golden.has("scales") && !golden.has("float16");
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    static Stream<String> supported() throws IOException {
        return all().stream().filter(name -> !NOT_YET.contains(name));
    }

    static Stream<String> notYet() throws IOException {
        return all().stream().filter(NOT_YET::contains);
    }

    private static Llama load(String name, JsonNode golden, BackendType backend) {
        LoadOptions options = LoadOptions.defaults().backend(backend).quantize(WeightType.F32).kvType(KvType.F32);
        for (JsonNode adapter : golden.get("loras")) {
            options = options.lora(folder(name).resolve(adapter.textValue()).normalize());
        }
        return Llama.load(root().resolve("bases").resolve(golden.get("base").textValue()), options);
    }

    private static float[] logits(Path folder, int count) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(folder.resolve("logits.f32"))).order(ByteOrder.LITTLE_ENDIAN);
        assertThat(bytes.remaining()).isEqualTo(count * Float.BYTES);
        float[] values = new float[count];
        bytes.asFloatBuffer().get(values);
        return values;
    }

    @ParameterizedTest
    @MethodSource("supported")
    void logitsAreThoseOfTheDenseMerge(String name) throws IOException {
        JsonNode golden = read(name);
        int[] ids = new ObjectMapper().convertValue(golden.get("ids"), int[].class);
        int vocab = golden.get("vocab").intValue();
        float[] expected = logits(folder(name), ids.length * vocab);
        try (Llama llama = load(name, golden, BackendType.AUTO)) {
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
    }

    @ParameterizedTest(allowZeroInvocations = true)
    @MethodSource("notYet")
    void whatIsNotImplementedIsRefusedNotIgnored(String name) throws IOException {
        JsonNode golden = read(name);
        assertThatThrownBy(() -> load(name, golden, BackendType.AUTO).close()).isInstanceOf(YangtuoException.class);
    }

    @Test
    void everyCaseIsThere() throws IOException {
        assertThat(all()).containsAll(NOT_YET).hasSizeGreaterThan(45);
    }
}
