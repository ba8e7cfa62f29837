package dev.yangtuo.model;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.yangtuo.BackendType;
import dev.yangtuo.FinishReason;
import dev.yangtuo.GenerateOptions;
import dev.yangtuo.GenerationResult;
import dev.yangtuo.KvType;
import dev.yangtuo.Llama;
import dev.yangtuo.LoadOptions;
import dev.yangtuo.ModelFolders;
import dev.yangtuo.WeightType;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Greedy continuations in float32, token for token those that PyTorch gives. */
class GoldenGenerationTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int EOS = 2;

    private static List<JsonNode> continuations(String model) throws Exception {
        List<JsonNode> entries = new ArrayList<>();
        for (JsonNode entry : JSON.readTree(ModelFolders.DEMO.resolve("golden/golden.json").toFile())) {
            if (entry.get("model").textValue().equals(model) && entry.has("prompt")) {
                entries.add(entry);
            }
        }
        assertThat(entries).hasSize(3);
        return entries;
    }

    private static Llama load(JsonNode entry, BackendType backend) {
        LoadOptions options = LoadOptions.defaults().backend(backend).quantize(WeightType.F32).kvType(KvType.F32);
        for (JsonNode adapter : entry.get("loras")) {
            options = options.lora(ModelFolders.DEMO.resolve(adapter.textValue()));
        }
        return Llama.load(ModelFolders.DEMO.resolve("base"), options);
    }

    private static void requireGolden(Llama llama, JsonNode entry) {
        int[] prompt = JSON.convertValue(entry.get("ids"), int[].class);
        int[] text = llama.tokenizer().encode(entry.get("prompt").textValue());
        assertThat(prompt).isEqualTo(IntStream.concat(IntStream.of(1), IntStream.of(text)).toArray());
        List<Integer> expected = new ArrayList<>(IntStream.of(JSON.convertValue(entry.get("greedy_ids"), int[].class)).boxed().toList());
        GenerationResult result = llama.generate(entry.get("prompt").textValue(), GenerateOptions.defaults().greedy().maxTokens(48)).result();
        boolean ends = expected.getLast() == EOS;
        assertThat(result.generatedTokens()).isEqualTo(expected.size());
        assertThat(result.promptTokens()).isEqualTo(prompt.length);
        assertThat(result.finishReason()).isEqualTo(ends ? FinishReason.END_OF_TEXT : FinishReason.MAX_TOKENS);
        if (ends) {
            expected.removeLast();
        }
        assertThat(result.ids()).isEqualTo(expected);
        assertThat(result.text()).isEqualTo(entry.get("text").textValue());
    }

    @ParameterizedTest
    @ValueSource(strings = {"base", "chinese", "alpaca"})
    void nativeBackendContinuesAsPyTorch(String model) throws Exception {
        List<JsonNode> entries = continuations(model);
        try (Llama llama = load(entries.getFirst(), BackendType.NATIVE)) {
            entries.forEach(entry -> requireGolden(llama, entry));
        }
    }

    @Test
    void scalarBackendContinuesAsPyTorch() throws Exception {
        JsonNode entry = continuations("base").get(1);
        try (Llama llama = load(entry, BackendType.SCALAR)) {
            requireGolden(llama, entry);
        }
    }
}
