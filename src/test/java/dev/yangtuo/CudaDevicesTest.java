package dev.yangtuo;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.yangtuo.chat.ChatMessage;
import dev.yangtuo.chat.ChatTemplate;
import dev.yangtuo.chat.Session;
import dev.yangtuo.chat.SessionOptions;
import dev.yangtuo.kernel.DeviceLibrary;
import dev.yangtuo.kernel.EmulatedDevices;
import java.io.IOException;
import java.io.UncheckedIOException;
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
    /** All layers of the tiny model, which has most tests: emulation is slow. */
    private static final int LAYERS = 3;
    private static final Path TINY = ModelFolders.tiny("base");
    private static final int[] IDS = {1, 300, 2910, 230, 131, 141, 17};

    private final EmulatedDevices devices = EmulatedDevices.assumed(2);

    @AfterEach
    void reset() {
        assertThat(devices.alive()).as("memory, streams and graphs that nobody has released").isZero();
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

    private static JsonNode golden(String file) {
        try {
            return new ObjectMapper().readTree(GOLDEN.resolve(file).toFile());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static int[] ids(JsonNode node) {
        return new ObjectMapper().convertValue(node.get("ids"), int[].class);
    }

    /** With an adapter, which is merged before anything is sent to the device. */
    @Test
    void logitsAreThoseOfPyTorch() throws IOException {
        JsonNode golden = golden("chinese-case/case.json");
        int[] ids = ids(golden);
        ByteBuffer values = ByteBuffer.wrap(Files.readAllBytes(GOLDEN.resolve("chinese-case/logits.f32"))).order(ByteOrder.LITTLE_ENDIAN);
        long launches = devices.launches();
        LoadOptions options = float32("cuda");
        for (JsonNode adapter : golden.get("loras")) {
            options = options.lora(ModelFolders.DEMO.resolve(adapter.textValue()));
        }
        try (Llama llama = Llama.load(BASE, options)) {
            assertThat(llama.report().backend()).startsWith("cuda:0 ");
            float[][] expected = new float[ids.length][llama.vocabSize()];
            for (float[] row : expected) {
                values.asFloatBuffer().get(row);
                values.position(values.position() + Float.BYTES * row.length);
            }
            assertThat(largestDifference(logits(llama, ids), expected)).isLessThanOrEqualTo(TOLERANCE);
        }
        assertThat(devices.launches()).isGreaterThan(launches);
    }

    /** The shortest text of more than some tokens, which ends by itself; two tokens are never as close as the tolerance. */
    @Test
    void greedyTextIsThatOfPyTorch() {
        JsonNode entry = golden("golden.json").valueStream()
                .filter(each -> each.path("prompt").asText().equals("In the beginning God") && each.get("model").textValue().equals("base")).findFirst().orElseThrow();
        try (Llama llama = Llama.load(BASE, float32("cuda"))) {
            GenerationResult result = greedy(llama, entry.get("prompt").textValue(), 48);
            assertThat(result.text()).isEqualTo(entry.get("text").textValue());
            assertThat(result.finishReason()).isEqualTo(FinishReason.END_OF_TEXT);
        }
    }

    /** Products of quantized weights have the processor's bits; attention is added up in another order. */
    @ParameterizedTest
    @CsvSource({"Q8_0, F16", "Q4_0, Q8_0"})
    void quantizedModelsGiveWhatTheProcessorGives(WeightType weights, KvType kvType) {
        LoadOptions options = LoadOptions.defaults().quantize(weights).kvType(kvType).context(128).maxSequences(2);
        int[] ids = Arrays.copyOf(ids(golden("base-case/case.json")), 8);
        try (Llama processor = Llama.load(BASE, options); Llama device = Llama.load(BASE, options.device("cuda:1"))) {
            assertThat(device.report().backend()).startsWith("cuda:1 ");
            float[][] expected = logits(processor, ids);
            float[][] logits = logits(device, ids);
            assertThat(largestDifference(Arrays.copyOf(logits, 1), Arrays.copyOf(expected, 1))).as("of the first token, which attends to itself alone").isLessThan(1e-5);
            assertThat(largestDifference(logits, expected)).isLessThan(0.2);
        }
    }

    private static LoadOptions tiny(String... names) {
        return LoadOptions.defaults().context(160).maxSequences(3).quantize(WeightType.F32).device(names);
    }

    private static Llama load(LoadOptions options) {
        return Llama.load(TINY, options);
    }

    private static GenerationResult greedy(Llama llama, String prompt, int tokens) {
        return llama.generate(prompt, GenerateOptions.defaults().greedy().maxTokens(tokens)).result();
    }

    private static String device(int number) {
        return "cuda:" + number + " " + DeviceLibrary.devices().get(number).name();
    }

    @ParameterizedTest
    @ValueSource(strings = {"0", "1", "99", "two", "two 2"})
    void layersCanBeDividedInEveryWay(String division) {
        String[] names = division.startsWith("two") ? new String[] {"cuda:1", "cuda:0"} : new String[] {"cuda:0"};
        int layers = division.equals("two") ? LAYERS : Integer.parseInt(division.replace("two ", ""));
        try (Llama processor = load(tiny("cpu")); Llama llama = load(tiny(names).gpuLayers(layers))) {
            assertThat(llama.report().backend()).isEqualTo(switch (division) {
                case "0" -> processor.report().backend();
                case "1" -> processor.report().backend() + " (layers 0 to 1), " + device(0) + " (layers 2 to 2)";
                case "99" -> device(0);
                case "two" -> device(1) + " (layers 0 to 1), " + device(0) + " (layers 2 to 2)";
                default -> processor.report().backend() + " (layers 0 to 0), " + device(1) + " (layers 1 to 1), " + device(0) + " (layers 2 to 2)";
            });
            assertThat(largestDifference(logits(llama, IDS), logits(processor, IDS))).isLessThanOrEqualTo(TOLERANCE);
            assertThat(greedy(llama, "山", 5).ids()).isEqualTo(greedy(processor, "山", 5).ids());
        }
    }

    /** Every row of the embedding is both there and in the output matrix, which lie on different devices. */
    @Test
    void anEmbeddingThatIsTheOutputMatrixIsOnBothDevices(@TempDir Path folder) throws Exception {
        for (String name : List.of("config.json", "model.safetensors", "tokenizer.model")) {
            Files.copy(TINY.resolve(name), folder.resolve(name));
        }
        Path config = folder.resolve("config.json");
        Files.writeString(config, Files.readString(config).replace("\"tie_word_embeddings\": false", "\"tie_word_embeddings\": true"));
        List<LoadProgress> progress = new ArrayList<>();
        LoadOptions divided = tiny("cuda:0").gpuLayers(2).onProgress(progress::add).cache(folder.resolve("cache"));
        try (Llama processor = Llama.load(folder, tiny("cpu")); Llama llama = Llama.load(folder, divided)) {
            assertThat(largestDifference(logits(llama, IDS), logits(processor, IDS))).isLessThanOrEqualTo(TOLERANCE);
            assertThat(progress.getLast().bytesDone()).isEqualTo(progress.getLast().byteCount());
        }
        try (Llama processor = Llama.load(folder, tiny("cpu")); Llama llama = Llama.load(folder, divided)) {
            assertThat(llama.report().cache()).as("the second time").isEqualTo(LoadReport.Cache.READ);
            assertThat(largestDifference(logits(llama, IDS), logits(processor, IDS))).isLessThanOrEqualTo(TOLERANCE);
        }
    }

    @Test
    void aContextThatWasSavedServesEveryDivision(@TempDir Path folder) {
        String prompt = "白日依山尽，黄河入海流。欲穷千里目，更上一层楼。";
        Path file = folder.resolve("context");
        int saved;
        List<Integer> ids;
        try (Llama llama = load(tiny("cuda:0").gpuLayers(2))) {
            saved = llama.saveContext(prompt, file);
            assertThat(saved).isEqualTo(64);
            ids = greedy(llama, prompt, 4).ids();
        }
        for (LoadOptions options : List.of(tiny("cpu"), tiny("cuda"), tiny("cuda:1", "cuda:0"))) {
            try (Llama llama = load(options)) {
                assertThat(llama.restoreContext(file)).isEqualTo(saved);
                GenerationResult result = greedy(llama, prompt, 4);
                assertThat(result.reusedTokens()).isEqualTo(saved);
                assertThat(result.ids()).isEqualTo(ids);
            }
        }
    }

    @Test
    void aConversationGoesOnFromWhatTheDeviceKeeps() {
        ChatTemplate template = ChatTemplate.jinja("{{ bos_token }}{% for m in messages %}<{{ m.content }}>{% endfor %}", "short");
        GenerateOptions options = GenerateOptions.defaults().greedy().maxTokens(4).minTokens(4);
        try (Llama llama = load(tiny("cuda")); Session session = llama.openSession(SessionOptions.defaults().template(template))) {
            session.say("山", options).result();
            List<ChatMessage> messages = new ArrayList<>(session.history());
            messages.add(ChatMessage.user("水"));
            GenerationResult second = session.say("水", options).result();
            assertThat(second.reusedTokens()).isPositive();
            assertThat(second.ids()).isEqualTo(llama.chat(template, messages, options).result().ids());
        }
    }

    /** Texts with a common beginning, whose pages are shared and copied on the device, more of them than a pass takes. */
    @Test
    void textsTogetherGiveWhatTheyGiveAlone() {
        List<String> prompts = IntStream.range(0, 5).mapToObj(i -> "白日依山尽，黄河入海流。" + "山".repeat(i)).toList();
        GenerateOptions options = GenerateOptions.defaults().greedy().maxTokens(4).repeatPenalty(1.2f).logitBias(7, 1.5f);
        try (Llama llama = load(tiny("cuda").gpuLayers(2))) {
            List<GenerationResult> together = llama.generateBatch(prompts, options);
            for (int i = 0; i < prompts.size(); i++) {
                assertThat(llama.generate(prompts.get(i), options).result().ids()).as(prompts.get(i)).isEqualTo(together.get(i).ids());
            }
        }
    }
}
