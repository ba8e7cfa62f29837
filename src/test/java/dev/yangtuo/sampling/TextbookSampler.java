package dev.yangtuo.sampling;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The steps of sampling written as one would explain them, in double precision, up to the probabilities that are drawn from. */
final class TextbookSampler {
    private TextbookSampler() {}

    /** Probability of each id that can be drawn. */
    static Map<Integer, Double> distribution(SamplingOptions options, float[] logits, Set<Integer> seen) {
        double[] penalized = new double[logits.length];
        List<Integer> order = new ArrayList<>();
        for (int id = 0; id < logits.length; id++) {
            float logit = logits[id];
            float penalty = seen.contains(id) ? options.repeatPenalty() : 1f;
            penalized[id] = logit > 0 ? logit / penalty : logit * penalty;
            order.add(id);
        }
        // Stable: of equals the smaller id comes first.
        order.sort(Comparator.comparingDouble((Integer id) -> penalized[id]).reversed());
        if (options.temperature() == 0) {
            return Map.of(order.getFirst(), 1.0);
        }
        if (options.topK() > 0 && options.topK() < order.size()) {
            order = order.subList(0, options.topK());
        }
        Map<Integer, Double> kept = softmax(order, penalized, 1);
        double sum = 0;
        int count = 0;
        for (double p : kept.values()) {
            count++;
            sum += p;
            if (options.topP() < 1 && sum >= options.topP()) {
                break;
            }
        }
        order = order.subList(0, count);
        double least = options.minP() * kept.get(order.getFirst());
        order = order.stream().filter(id -> kept.get(id) >= least).toList();
        return softmax(order, penalized, options.temperature());
    }

    private static Map<Integer, Double> softmax(List<Integer> ids, double[] logits, double temperature) {
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
