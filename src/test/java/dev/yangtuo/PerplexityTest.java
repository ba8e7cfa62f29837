package dev.yangtuo;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What storing the weights in fewer bits costs, on texts that the demonstration model has golden figures for. */
class PerplexityTest {
    private static final Path DEMO = ModelFolders.DEMO;

    private static JsonNode golden(String model) throws Exception {
        for (JsonNode entry : new ObjectMapper().readTree(DEMO.resolve("golden/golden.json").toFile())) {
            if (entry.get("model").textValue().equals(model) && entry.has("perplexity")) {
                return entry;
            }
        }
        throw new AssertionError(model);
    }

    /** Bounds are shares of the figure in float32; F32 itself is compared with PyTorch's. */
    @ParameterizedTest
    @CsvSource({
        "base, english.txt, F32, F32, -0.0005, 0.0005",
        "base, english.txt, F16, F16, -0.001, 0.001",
        "base, english.txt, Q8_0, F16, -0.01, 0.01",
        "base, english.txt, Q4_0, F16, -0.01, 0.035",
        "base, english.txt, Q6_K, F16, -0.01, 0.01",
        "chinese, poems.txt, F32, F32, -0.0005, 0.0005",
        "chinese, poems.txt, F16, F32, -0.001, 0.001",
        "chinese, poems.txt, Q8_0, F32, -0.01, 0.01",
        "chinese, poems.txt, Q4_0, F16, -0.01, 0.035",
        "chinese, poems.txt, Q4_K_M, F16, -0.01, 0.035",
    })
    void perplexityIsThatOfFloat32WithinTheBounds(String model, String text, WeightType type, KvType kvType, double least, double most)
            throws Exception {
        JsonNode golden = golden(model);
        LoadOptions options = LoadOptions.defaults().backend(BackendType.NATIVE).quantize(type).kvType(kvType);
        for (JsonNode adapter : golden.get("loras")) {
            options = options.lora(DEMO.resolve(adapter.textValue()));
        }
        try (Llama llama = Llama.load(DEMO.resolve("base"), options)) {
            Perplexity perplexity = llama.perplexity(Files.readString(DEMO.resolve("text").resolve(text)), PerplexityOptions.defaults());
            assertThat(perplexity.tokens()).isEqualTo(golden.get("tokens").intValue());
            double expected = golden.get("perplexity").doubleValue();
            assertThat(perplexity.value() / expected - 1)
                    .as("perplexity %.4f of %s, in float32 %.4f", perplexity.value(), type, expected)
                    .isBetween(least, most);
        }
    }
}
