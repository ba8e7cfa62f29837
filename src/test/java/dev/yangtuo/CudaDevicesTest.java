package dev.yangtuo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.yangtuo.exception.KernelException;
import dev.yangtuo.kernel.EmulatedDevices;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Models on CUDA devices, which are emulated: as a whole, in part, divided; and what is asked for that cannot be. */
class CudaDevicesTest {
    private static final Path BASE = ModelFolders.DEMO.resolve("base");
    private static final Path GOLDEN = ModelFolders.DEMO.resolve("golden");
    /** The project's for logits in float32 (GoldenLogitsTest has less, for the processor alone). */
    private static final double TOLERANCE = 5e-3;
    /** All layers of the demonstration model. */
    private static final int LAYERS = 6;

    private final EmulatedDevices devices = EmulatedDevices.assumed(2);

    @AfterEach
    void reset() {
        assertThat(devices.used()).as("bytes in use on the devices").isZero();
        devices.close();
    }

    private static LoadOptions float32(String... names) {
        return LoadOptions.defaults().quantize(WeightType.F32).kvType(KvType.F16).context(128).maxSequences(4).device(names);
    }

    private static float[][] logits(Llama llama, int[] ids) {
        float[][] all = new float[ids.length][];
        llama.logits(ids, (position, logits, offset) -> all[position] = Arrays.copyOfRange(logits, offset, offset + llama.vocabSize()));
        return all;
    }

    private static double largestDifference(float[][] some, float[][] others) {
        double largest = 0;
        for (int i = 0; i < some.length; i++) {
            for (int j = 0; j < some[i].length; j++) {
                largest = Math.max(largest, Math.abs((double) some[i][j] - others[i][j]));
            }
        }
        return largest;
    }

    private static int[] ids(String text) {
        JsonNode golden;
        try {
            golden = new ObjectMapper().readTree(GOLDEN.resolve(text).toFile());
        } catch (Exception e) {
            throw new AssertionError(e);
        }
        return new ObjectMapper().convertValue(golden.get("ids"), int[].class);
    }

    @Test
    void logitsAreThoseOfPyTorch() throws Exception {
        int[] ids = ids("base-case/case.json");
        ByteBuffer golden = ByteBuffer.wrap(Files.readAllBytes(GOLDEN.resolve("base-case/logits.f32"))).order(ByteOrder.LITTLE_ENDIAN);
        long launches = devices.launches();
        try (Llama llama = Llama.load(BASE, float32("cuda"))) {
            assertThat(llama.report().backend()).startsWith("cuda:0 ");
            float[][] expected = new float[ids.length][llama.vocabSize()];
            for (float[] row : expected) {
                golden.asFloatBuffer().get(row);
                golden.position(golden.position() + Float.BYTES * row.length);
            }
            assertThat(largestDifference(logits(llama, ids), expected)).isLessThanOrEqualTo(TOLERANCE);
        }
        assertThat(devices.launches()).isGreaterThan(launches);
    }

    /** With adapters, which are merged before anything is sent to the device. */
    @Test
    void greedyTextIsThatOfPyTorch() throws Exception {
        for (JsonNode entry : new ObjectMapper().readTree(GOLDEN.resolve("golden.json").toFile())) {
            if (!entry.has("prompt") || !entry.get("model").textValue().equals("chinese")) {
                continue;
            }
            LoadOptions options = float32("cuda");
            for (JsonNode adapter : entry.get("loras")) {
                options = options.lora(ModelFolders.DEMO.resolve(adapter.textValue()));
            }
            try (Llama llama = Llama.load(BASE, options)) {
                assertThat(llama.generate(entry.get("prompt").textValue(), GenerateOptions.defaults().greedy().maxTokens(48)).result().text())
                        .isEqualTo(entry.get("text").textValue());
            }
            return;
        }
        throw new AssertionError("golden.json has no text");
    }

    /** Products of quantized weights have the processor's bits; attention is added up in another order. */
    @ParameterizedTest
    @CsvSource({"Q8_0, F16", "Q4_0, Q8_0"})
    void quantizedModelsGiveWhatTheProcessorGives(WeightType weights, KvType kvType) {
        LoadOptions options = LoadOptions.defaults().quantize(weights).kvType(kvType).context(128).maxSequences(2);
        int[] ids = Arrays.copyOf(ids("base-case/case.json"), 12);
        try (Llama processor = Llama.load(BASE, options); Llama device = Llama.load(BASE, options.device("cuda:1"))) {
            assertThat(device.report().backend()).startsWith("cuda:1 ");
            float[][] expected = logits(processor, ids);
            float[][] logits = logits(device, ids);
            assertThat(largestDifference(Arrays.copyOf(logits, 1), Arrays.copyOf(expected, 1))).as("of the first token, which attends to itself alone").isLessThan(1e-5);
            assertThat(largestDifference(logits, expected)).isLessThan(0.2);
        }
    }

    private static List<Integer> greedyIds(Llama llama) {
        return llama.generate("The old man ", GenerateOptions.defaults().greedy().maxTokens(6)).result().ids();
    }

    @ParameterizedTest
    @ValueSource(strings = {"0", "1", "3", "99", "two", "two 4"})
    void layersCanBeDividedInEveryWay(String division) {
        String[] names = division.startsWith("two") ? new String[] {"cuda:1", "cuda:0"} : new String[] {"cuda:0"};
        int layers = division.equals("two") ? LAYERS : Integer.parseInt(division.replace("two ", ""));
        int[] ids = Arrays.copyOf(ids("base-case/case.json"), 8);
        try (Llama processor = Llama.load(BASE, float32("cpu")); Llama llama = Llama.load(BASE, float32(names).gpuLayers(layers))) {
            assertThat(llama.report().backend()).isEqualTo(switch (division) {
                case "0" -> processor.report().backend();
                case "1" -> processor.report().backend() + " (layers 0 to 4), " + device(0) + " (layers 5 to 5)";
                case "3" -> processor.report().backend() + " (layers 0 to 2), " + device(0) + " (layers 3 to 5)";
                case "99" -> device(0);
                case "two" -> device(1) + " (layers 0 to 2), " + device(0) + " (layers 3 to 5)";
                default -> processor.report().backend() + " (layers 0 to 1), " + device(1) + " (layers 2 to 3), " + device(0) + " (layers 4 to 5)";
            });
            assertThat(largestDifference(logits(llama, ids), logits(processor, ids))).isLessThanOrEqualTo(TOLERANCE);
            assertThat(greedyIds(llama)).isEqualTo(greedyIds(processor));
        }
    }

    private static String device(int number) {
        return "cuda:" + number + " " + dev.yangtuo.kernel.DeviceLibrary.devices().get(number).name();
    }
}
