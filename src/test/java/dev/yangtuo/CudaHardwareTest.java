package dev.yangtuo;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.yangtuo.kernel.DeviceLibrary;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The demonstration model on a GPU, with the real library for CUDA devices, which {@code yangtuo test --device cuda} names; not on the emulated one (CudaDevicesTest). */
@EnabledIfSystemProperty(named = CudaHardwareTest.LIBRARY, matches = ".+")
class CudaHardwareTest {
    static final String LIBRARY = "yangtuo.test.cuda.library";
    /** The project's for logits in float32. */
    private static final double TOLERANCE = 5e-3;

    @BeforeAll
    static void open() {
        System.setProperty(DeviceLibrary.PATH_PROPERTY, System.getProperty(LIBRARY));
    }

    @AfterAll
    static void forget() {
        System.clearProperty(DeviceLibrary.PATH_PROPERTY);
    }

    private static LoadOptions options(WeightType weights, KvType kvType) {
        return LoadOptions.defaults().quantize(weights).kvType(kvType).context(256).maxSequences(2);
    }

    private static Llama load(LoadOptions options) {
        return Llama.load(ModelFolders.DEMO.resolve("base"), options);
    }

    private static List<JsonNode> goldenTexts() throws IOException {
        JsonNode golden = new ObjectMapper().readTree(ModelFolders.DEMO.resolve("golden/golden.json").toFile());
        return golden.valueStream().filter(entry -> entry.path("model").asText().equals("base") && entry.has("prompt")).toList();
    }

    @Test
    void greedyTextsAreThoseOfPyTorch() throws IOException {
        try (Llama llama = load(options(WeightType.F32, KvType.F16).device("cuda"))) {
            assertThat(llama.report().backend()).startsWith("cuda:0 ");
            assertThat(goldenTexts()).isNotEmpty().allSatisfy(entry -> assertThat(
                    llama.generate(entry.get("prompt").textValue(), GenerateOptions.defaults().greedy().maxTokens(48)).result().text())
                    .isEqualTo(entry.get("text").textValue()));
        }
    }

    /** Products of quantized and float32 weights have the processor's bits; those of F16 and BF16, and attention, are added up in another order. */
    @ParameterizedTest
    @CsvSource({"F32, F16, cuda, 99", "F16, F16, cuda, 99", "BF16, F16, cuda, 99", "Q8_0, F16, cuda, 99", "Q4_0, Q8_0, cuda, 99", "F32, F16, cuda, 2"})
    void logitsAreThoseOfTheProcessor(WeightType weights, KvType kvType, String device, int layers) {
        int[] ids = {1, 300, 2910, 230, 131, 141, 17, 42, 99, 1000, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 18, 19};
        LoadOptions options = options(weights, kvType);
        try (Llama processor = load(options); Llama llama = load(options.device(device).gpuLayers(layers))) {
            float[][] expected = logits(processor, ids);
            float[][] found = logits(llama, ids);
            // A quantized activation that is rounded the other way changes the logits by some hundredths.
            double tolerance = weights == WeightType.F32 || weights == WeightType.F16 ? TOLERANCE : 0.2;
            for (int i = 0; i < ids.length; i++) {
                for (int j = 0; j < expected[i].length; j++) {
                    assertThat((double) found[i][j]).as("position %d, token %d", i, j).isBetween(expected[i][j] - tolerance, expected[i][j] + tolerance);
                }
            }
        }
    }

    private static float[][] logits(Llama llama, int[] ids) {
        float[][] all = new float[ids.length][];
        llama.logits(ids, (position, logits, offset) -> all[position] = Arrays.copyOfRange(logits, offset, offset + llama.vocabSize()));
        return all;
    }
}
