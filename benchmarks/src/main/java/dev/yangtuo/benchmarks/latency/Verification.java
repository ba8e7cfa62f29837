package dev.yangtuo.benchmarks.latency;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.yangtuo.BackendType;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * What an engine must compute before it is timed. Ours must give the bits of the scalar backend, and of the demonstration model in float16 it and llama.cpp must write
 * the greedy text that PyTorch wrote. Otherwise llama.cpp rounds activations differently, and Jlama has other weights than we have: their distributions of the next token
 * may differ from ours by a bounded Kullback-Leibler divergence, which a wrong model, position or mask would exceed by far.
 */
final class Verification {
    /** Nats a token on average, with the same weights; 0.0001 to 0.01 are seen. */
    static final double MOST_DIVERGENCE = 0.05;
    /** With weights that were rounded anew, to 4 bits at worst; 0.1 is seen of the demonstration model. */
    static final double MOST_DIVERGENCE_OTHER_WEIGHTS = 0.5;

    private static final Set<String> GOLDEN_TYPES = Set.of("F16", "F32");
    private static final int IDS = 12;
    private static final int SEED = 77;

    private final EngineSettings settings;
    private final LoadSource source;

    /** @param source what the engine's model was loaded from */
    Verification(EngineSettings settings, LoadSource source) {
        this.settings = settings;
        this.source = source;
    }

    /**
     * Checks an engine.
     *
     * @return what was found, for people
     * @throws IllegalStateException if it computes something else
     */
    String check(LatencyEngine engine) {
        List<String> found = new ArrayList<>();
        if (settings.engine() != EngineName.JLAMA && settings.model().type().filter(type -> GOLDEN_TYPES.contains(type.name())).isPresent()) {
            found.add(requireGolden(engine));
        }
        int[] ids = ids();
        float[][] actual = engine.logits(ids);
        EngineSettings ours = EngineSettings.small(EngineName.YANGTUO, settings.model(), settings.threads());
        BackendType backend = settings.engine() == EngineName.YANGTUO ? BackendType.SCALAR : BackendType.NATIVE;
        try (LlamaEngine reference = LlamaEngine.open(source.path(settings.model()), source.options(ours).backend(backend))) {
            float[][] expected = reference.logits(ids);
            found.add(switch (settings.engine()) {
                case YANGTUO -> requireSame(actual, expected);
                case LLAMA_CPP -> requireNear(actual, expected, MOST_DIVERGENCE);
                case JLAMA -> requireNear(actual, expected, MOST_DIVERGENCE_OTHER_WEIGHTS);
            });
        }
        return String.join("; ", found);
    }

    /** Words of a text where there is one, else random ids. */
    private int[] ids() {
        return settings.model().isDemo() ? goldenIds(golden()) : RandomPrompts.prompt(SEED, IDS, IDS + 1000);
    }

    private JsonNode golden() {
        String model = source == LoadSource.BASE ? "base" : "chinese";
        try {
            for (JsonNode entry : new JsonMapper().readTree(PreparedModel.demoFolder().resolve("golden/golden.json").toFile())) {
                if (entry.path("model").asText().equals(model) && entry.has("greedy_ids")) {
                    return entry;
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        throw new IllegalStateException("golden.json has no greedy text of " + model);
    }

    /** Prompt and greedy text. */
    private static int[] goldenIds(JsonNode golden) {
        JsonMapper json = new JsonMapper();
        return IntStream.concat(IntStream.of(json.convertValue(golden.get("ids"), int[].class)), IntStream.of(json.convertValue(golden.get("greedy_ids"), int[].class)))
                .toArray();
    }

    private String requireGolden(LatencyEngine engine) {
        JsonNode golden = golden();
        int[] ids = goldenIds(golden);
        int first = golden.get("ids").size();
        float[][] logits = engine.logits(ids);
        for (int i = first; i < ids.length; i++) {
            int best = best(logits[i - 1]);
            if (best != ids[i]) {
                throw new IllegalStateException("greedy token %d of the demonstration model is %d, PyTorch says %d".formatted(i - first, best, ids[i]));
            }
        }
        return "%d greedy tokens are PyTorch's".formatted(ids.length - first);
    }

    private static int best(float[] logits) {
        int best = 0;
        for (int i = 1; i < logits.length; i++) {
            best = logits[i] > logits[best] ? i : best;
        }
        return best;
    }

    static String requireSame(float[][] actual, float[][] expected) {
        for (int i = 0; i < expected.length; i++) {
            int at = Arrays.mismatch(actual[i], expected[i]);
            if (at >= 0) {
                throw new IllegalStateException("logit %d behind token %d is %s, the scalar backend says %s".formatted(at, i, actual[i][at], expected[i][at]));
            }
        }
        return "logits of %d tokens have the bits of the scalar backend".formatted(expected.length);
    }

    static String requireNear(float[][] actual, float[][] expected, double most) {
        double sum = 0;
        for (int i = 0; i < expected.length; i++) {
            sum += divergence(expected[i], actual[i]);
        }
        double mean = sum / expected.length;
        if (!(mean <= most)) {
            throw new IllegalStateException("the distributions of %d tokens diverge by %.4f nats from ours on average, %.2f is allowed".formatted(expected.length, mean, most));
        }
        return String.format(Locale.ROOT, "Kullback-Leibler divergence from ours %.5f nats on average of %d tokens", mean, expected.length);
    }

    /** Of the second distribution from the first, in nats; both as logits. */
    static double divergence(float[] from, float[] to) {
        double fromSum = logSum(from);
        double toSum = logSum(to);
        double sum = 0;
        for (int i = 0; i < from.length; i++) {
            double logProbability = from[i] - fromSum;
            double probability = Math.exp(logProbability);
            if (probability > 0) {
                sum += probability * (logProbability - (to[i] - toSum));
            }
        }
        return sum;
    }

    private static double logSum(float[] logits) {
        double most = Double.NEGATIVE_INFINITY;
        for (float logit : logits) {
            most = Math.max(most, logit);
        }
        double sum = 0;
        for (float logit : logits) {
            sum += Math.exp(logit - most);
        }
        return most + Math.log(sum);
    }
}
