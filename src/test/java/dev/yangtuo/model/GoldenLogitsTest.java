package dev.yangtuo.model;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.yangtuo.BackendType;
import dev.yangtuo.KvType;
import dev.yangtuo.Llama;
import dev.yangtuo.LoadOptions;
import dev.yangtuo.ModelFolders;
import dev.yangtuo.WeightType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Logits in float32 against those that PyTorch computed, with no, one and two adapters. */
class GoldenLogitsTest {
    /** Logits reach 20; a few hundred roundings of 2^-24 on the way, and another order of additions in PyTorch. */
    private static final double TOLERANCE = 2e-3;

    static Stream<Arguments> cases() {
        Path golden = ModelFolders.DEMO.resolve("golden");
        Path demo = ModelFolders.DEMO;
        return Stream.of(BackendType.NATIVE, BackendType.SCALAR).flatMap(backend -> Stream.of(
                Arguments.of(backend, demo.resolve("base"), demo, golden.resolve("base-case")),
                Arguments.of(backend, demo.resolve("base"), demo, golden.resolve("chinese-case")),
                Arguments.of(backend, demo.resolve("base"), demo, golden.resolve("alpaca-case")),
                Arguments.of(backend, ModelFolders.tiny("base"), ModelFolders.tiny("base").getParent(), ModelFolders.tiny("base")),
                Arguments.of(backend, ModelFolders.tiny("base"), ModelFolders.tiny("base").getParent(), ModelFolders.tiny("plain"))));
    }

    @ParameterizedTest
    @MethodSource("cases")
    void logitsAreThoseOfPyTorch(BackendType backend, Path model, Path adapters, Path folder) throws Exception {
        JsonNode golden = new ObjectMapper().readTree(folder.resolve("case.json").toFile());
        int[] ids = new ObjectMapper().convertValue(golden.get("ids"), int[].class);
        int vocab = golden.get("vocab").intValue();
        float[] expected = new float[ids.length * vocab];
        ByteBuffer.wrap(Files.readAllBytes(folder.resolve("logits.f32"))).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(expected);
        LoadOptions options = LoadOptions.defaults().backend(backend).quantize(WeightType.F32).kvType(KvType.F32);
        for (JsonNode adapter : golden.get("loras")) {
            options = options.lora(adapters.resolve(adapter.textValue()));
        }
        try (Llama llama = Llama.load(model, options)) {
            assertThat(llama.vocabSize()).isEqualTo(vocab);
            double[] largest = new double[1];
            int[] positions = new int[1];
            llama.logits(ids, (position, logits, offset) -> {
                assertThat(position).isEqualTo(positions[0]++);
                for (int i = 0; i < vocab; i++) {
                    largest[0] = Math.max(largest[0], Math.abs((double) logits[offset + i] - expected[position * vocab + i]));
                }
            });
            assertThat(positions[0]).isEqualTo(ids.length);
            assertThat(largest[0]).as("largest difference").isLessThanOrEqualTo(TOLERANCE);
        }
    }
}
