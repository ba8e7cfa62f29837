package dev.yangtuo.sampling;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The steps of sampling written as one would explain them, in double precision, up to the probabilities that are drawn from. */
final class TextbookSampler {
    private TextbookSampler() {}

    /**
     * A text so far.
     *
     * @param tokens prompt included
     * @param generated how many of them are behind the prompt
     * @param ends tokens that end the text
     * @param breakers of DRY, as tokens
     * @param mu of mirostat
     */
    record Text(List<Integer> tokens, int generated, Set<Integer> ends, List<List<Integer>> breakers, double mu) {
        static Text of(List<Integer> tokens) {
            return new Text(tokens, 0, Set.of(), List.of(), 0);
        }
    }

    /** Probability of each id that can be drawn, the best one first. */
    static Map<Integer, Double> distribution(SamplingOptions options, float[] logits, Text text) {
        double[] changed = changed(options, logits, text);
        List<Integer> order = new ArrayList<>();
        for (int id = 0; id < changed.length; id++) {
            order.add(id);
        }
        // Stable: of equals the smaller id comes first.
        order.sort(Comparator.comparingDouble((Integer id) -> changed[id]).reversed());
        if (options.mirostat().isOn()) {
            return mirostat(softmax(order, changed, temperature(options, order, changed)), text.mu());
        }
        Truncation truncation = options.truncation();
        if (truncation.topNSigma() > 0) {
            order = topNSigma(order, changed, truncation.topNSigma());
        }
        if (truncation.topK() > 0 && truncation.topK() < order.size()) {
            order = order.subList(0, truncation.topK());
        }
        if (truncation.typicalP() < 1) {
            order = typical(softmax(order, changed, 1), truncation.typicalP());
        }
        if (truncation.topP() < 1) {
            order = topP(softmax(order, changed, 1), truncation.topP());
        }
        Map<Integer, Double> kept = softmax(order, changed, 1);
        double least = truncation.minP() * kept.get(order.getFirst());
        order = order.stream().filter(id -> kept.get(id) >= least).toList();
        Map<Integer, Double> whole = softmax(order, changed, temperature(options, order, changed));
        if (!options.xtc().isOn()) {
            return whole;
        }
        List<Integer> rest = xtc(softmax(order, changed, 1), options.xtc().threshold());
        return mixture(whole, softmax(rest, changed, temperature(options, rest, changed)), options.xtc().probability());
    }

    private static double[] changed(SamplingOptions options, float[] logits, Text text) {
        double[] changed = new double[logits.length];
        TokenRules rules = options.rules();
        Map<Integer, Integer> counts = new HashMap<>();
        last(text.tokens(), options.penalties().lastN()).forEach(id -> counts.merge(id, 1, Integer::sum));
        for (int id = 0; id < logits.length; id++) {
            boolean required = rules.required().isEmpty() || rules.required().contains(TokenName.of(id));
            boolean early = text.ends().contains(id) && text.generated() < rules.minTokens();
            double logit = required && !early ? logits[id] : Double.NEGATIVE_INFINITY;
            for (TokenBias bias : rules.biases()) {
                logit += bias.token().id() == id ? bias.bias() : 0;
            }
            if (counts.containsKey(id)) {
                Penalties penalties = options.penalties();
                logit = logit > 0 ? logit / penalties.repeat() : logit * penalties.repeat();
                logit -= counts.get(id) * penalties.frequency();
                logit -= penalties.presence();
            }
            changed[id] = logit - dryPenalty(options.dry(), text, id);
        }
        return changed;
    }

    private static List<Integer> last(List<Integer> tokens, int n) {
        return n == -1 || n > tokens.size() ? tokens : tokens.subList(tokens.size() - n, tokens.size());
    }

    /** Tries every place at which the token was there. */
    static double dryPenalty(Dry dry, Text text, int id) {
        List<Integer> tokens = last(text.tokens(), dry.lastN());
        if (dry.multiplier() == 0 || tokens.size() <= dry.allowedLength() || text.breakers().contains(List.of(id))) {
            return 0;
        }
        int reach = tokens.size();
        for (int from = tokens.size() - 1; from >= 0 && reach == tokens.size(); from--) {
            int longest = 0;
            for (List<Integer> breaker : text.breakers()) {
                boolean there = from + breaker.size() <= tokens.size() && tokens.subList(from, from + breaker.size()).equals(breaker);
                longest = there ? Math.max(longest, breaker.size()) : longest;
            }
            reach = longest > 0 ? tokens.size() - from - longest : reach;
        }
        int most = -1;
        for (int place = 1; place < tokens.size(); place++) {
            if (tokens.get(place) == id) {
                int n = 0;
                while (n < Math.min(place, reach) && tokens.get(place - 1 - n).equals(tokens.get(tokens.size() - 1 - n))) {
                    n++;
                }
                most = Math.max(most, n);
            }
        }
        return most < dry.allowedLength() ? 0 : dry.multiplier() * Math.pow(dry.base(), most - dry.allowedLength());
    }

    private static List<Integer> topNSigma(List<Integer> order, double[] logits, double n) {
        List<Integer> finite = order.stream().filter(id -> logits[id] != Double.NEGATIVE_INFINITY).toList();
        double mean = finite.stream().mapToDouble(id -> logits[id]).average().orElseThrow();
        double variance = finite.stream().mapToDouble(id -> Math.pow(logits[id] - mean, 2)).average().orElseThrow();
        return finite.stream().filter(id -> logits[id] >= logits[finite.getFirst()] - n * Math.sqrt(variance)).toList();
    }

    private static List<Integer> typical(Map<Integer, Double> probabilities, double p) {
        double entropy = entropy(probabilities);
        List<Integer> byDistance = new ArrayList<>(probabilities.keySet());
        byDistance.sort(Comparator.comparingDouble(id -> Math.abs(-Math.log(probabilities.get(id)) - entropy)));
        List<Integer> kept = new ArrayList<>();
        double sum = 0;
        for (int id : byDistance) {
            if (sum <= p) {
                kept.add(id);
                sum += probabilities.get(id);
            }
        }
        return probabilities.keySet().stream().filter(kept::contains).toList();
    }

    private static double entropy(Map<Integer, Double> probabilities) {
        return probabilities.values().stream().mapToDouble(p -> p == 0 ? 0 : -p * Math.log(p)).sum();
    }

    private static List<Integer> topP(Map<Integer, Double> probabilities, double topP) {
        List<Integer> kept = new ArrayList<>();
        double sum = 0;
        for (Map.Entry<Integer, Double> entry : probabilities.entrySet()) {
            if (sum < topP) {
                kept.add(entry.getKey());
                sum += entry.getValue();
            }
        }
        return kept;
    }

    /** What is left when top choices are excluded. */
    private static List<Integer> xtc(Map<Integer, Double> probabilities, double threshold) {
        List<Integer> top = probabilities.keySet().stream().filter(id -> probabilities.get(id) >= threshold).toList();
        return probabilities.keySet().stream().filter(id -> !top.contains(id) || id.equals(top.getLast())).toList();
    }

    private static double temperature(SamplingOptions options, List<Integer> order, double[] logits) {
        if (!options.dynamicTemperature().isOn()) {
            return options.temperature();
        }
        Map<Integer, Double> probabilities = softmax(order, logits, 1);
        long possible = probabilities.values().stream().filter(p -> p > 1e-44).count();
        double low = Math.max(0, options.temperature() - options.dynamicTemperature().range());
        double high = options.temperature() + options.dynamicTemperature().range();
        double share = possible < 2 ? 0 : entropy(probabilities) / Math.log(possible);
        return possible < 2 ? low : low + (high - low) * Math.pow(share, options.dynamicTemperature().exponent());
    }

    private static Map<Integer, Double> mirostat(Map<Integer, Double> probabilities, double mu) {
        Map<Integer, Double> kept = new LinkedHashMap<>();
        probabilities.forEach((id, p) -> {
            if (kept.isEmpty() || -Math.log(p) / Math.log(2) <= mu) {
                kept.put(id, p);
            }
        });
        double sum = kept.values().stream().mapToDouble(p -> p).sum();
        kept.replaceAll((id, p) -> p / sum);
        return kept;
    }

    private static Map<Integer, Double> mixture(Map<Integer, Double> usual, Map<Integer, Double> other, double share) {
        Map<Integer, Double> mixture = new LinkedHashMap<>();
        usual.forEach((id, p) -> mixture.merge(id, p * (1 - share), Double::sum));
        other.forEach((id, p) -> mixture.merge(id, p * share, Double::sum));
        return mixture;
    }

    private static Map<Integer, Double> softmax(List<Integer> ids, double[] logits, double temperature) {
        if (temperature == 0) {
            return Map.of(ids.getFirst(), 1.0);
        }
        double max = logits[ids.getFirst()];
        double sum = 0;
        for (int id : ids) {
            sum += Math.exp((logits[id] - max) / temperature);
        }
        Map<Integer, Double> probabilities = new LinkedHashMap<>();
        for (int id : ids) {
            probabilities.put(id, Math.exp((logits[id] - max) / temperature) / sum);
        }
        return probabilities;
    }
}
