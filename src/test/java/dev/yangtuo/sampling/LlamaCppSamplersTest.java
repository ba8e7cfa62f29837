package dev.yangtuo.sampling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.stream.IntStream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;

/** Each sampler, and all of them together, against what llama.cpp's make of the same logits; {@code src/test/resources/sampling/README.md} says how the file was made. */
class LlamaCppSamplersTest {
    private static final Path GOLDEN = Path.of("src/test/resources/sampling/llama_cpp_samplers.jsonl");
    /** llama.cpp computes with single precision throughout, and so did its sums of probabilities. */
    private static final double TOLERANCE = 2e-5;

    /** What is less probable is no candidate: at a low temperature it may become 0 by one way of computing it. */
    private static final double LEAST = 1e-12;

    private static List<JsonNode> cases() throws IOException {
        ObjectMapper mapper = new ObjectMapper();
        return Files.readAllLines(GOLDEN).stream().map(line -> {
            try {
                return mapper.readTree(line);
            } catch (IOException e) {
                throw new AssertionError(line, e);
            }
        }).toList();
    }

    private static float number(JsonNode of, String name) {
        return of.get(name).floatValue();
    }

    private static SamplingOptions options(JsonNode of) {
        TokenRules rules = TokenRules.NONE;
        for (JsonNode bias : of.get("biases")) {
            rules = rules.plus(new TokenBias(TokenName.of(bias.get(0).intValue()), bias.get(1).floatValue()));
        }
        float tau = number(of, "tau");
        return new SamplingOptions(
                number(of, "temperature"),
                new DynamicTemperature(number(of, "range"), number(of, "exponent")),
                new Truncation(number(of, "sigma"), of.get("top_k").intValue(), number(of, "typical"), number(of, "top_p"), number(of, "min_p")),
                new Xtc(1f, number(of, "xtc_threshold")),
                new Penalties(number(of, "repeat"), of.get("last_n").intValue(), number(of, "presence"), number(of, "frequency")),
                new Dry(number(of, "dry_multiplier"), number(of, "dry_base"), of.get("dry_allowed").intValue(), of.get("dry_last_n").intValue(), List.of()),
                tau < 0 ? Mirostat.OFF : new Mirostat(true, tau, number(of, "eta")),
                rules);
    }

    private static float[] floats(JsonNode list) {
        float[] values = new float[list.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = list.get(i).floatValue();
        }
        return values;
    }

    private static int[] ints(JsonNode list) {
        return StreamSupport.stream(list.spliterator(), false).mapToInt(JsonNode::intValue).toArray();
    }

    private static Map<Integer, Double> probabilities(Shortlist left) {
        double sum = IntStream.range(0, left.count()).mapToDouble(left::weight).sum();
        Map<Integer, Double> probabilities = new TreeMap<>();
        for (int i = 0; i < left.count(); i++) {
            if (left.weight(i) / sum >= LEAST) {
                probabilities.put(left.id(i), left.weight(i) / sum);
            }
        }
        return probabilities;
    }

    @Test
    void probabilitiesAreLlamaCpps() throws IOException {
        int compared = 0;
        for (JsonNode of : cases()) {
            SamplingOptions options = options(of);
            float[] logits = floats(of.get("logits"));
            DryBreakers breakers = DryBreakers.of(StreamSupport.stream(of.get("breakers").spliterator(), false).map(LlamaCppSamplersTest::ints).toArray(int[][]::new));
            Sampler sampler = new Sampler(options, 1, SamplerVocabulary.withoutTexts(breakers, logits.length), null, null);
            for (int id : ints(of.get("tokens"))) {
                sampler.acceptPrompt(id);
            }
            MirostatDraw mirostat = new MirostatDraw(options.mirostat(), new SplittableRandom(1));
            for (JsonNode round : of.get("rounds")) {
                Shortlist left = sampler.shortlist(logits.clone());
                if (options.mirostat().isOn()) {
                    mirostat.truncate(left);
                }
                Map<Integer, Double> expected = new TreeMap<>();
                for (int i = 0; i < round.get("ids").size(); i++) {
                    expected.put(round.get("ids").get(i).intValue(), round.get("p").get(i).doubleValue());
                }
                expected.values().removeIf(p -> p < LEAST);
                Map<Integer, Double> actual = probabilities(left);
                assertThat(actual.keySet()).as("%s after %d rounds", of.get("name"), compared).isEqualTo(expected.keySet());
                actual.forEach((id, p) -> assertThat(p).as("id %d: %s", id, of.get("name")).isCloseTo(expected.get(id), within(TOLERANCE)));
                int selected = round.get("selected").intValue();
                if (options.isGreedy()) {
                    assertThat(sampler.sample(logits.clone())).as("%s", of.get("name")).isEqualTo(selected);
                }
                if (options.mirostat().isOn()) {
                    mirostat.learn(actual.get(selected).floatValue());
                }
                sampler.accept(selected);
                compared++;
            }
        }
        assertThat(compared).isGreaterThan(150);
    }
}
