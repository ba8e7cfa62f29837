package dev.yangtuo.lora;

import java.util.List;

/**
 * How an adapter's deltas are scaled: {@code alpha / rank}, or {@code alpha / sqrt(rank)}, with ranks and alphas of single modules. Immutable.
 *
 * @param rank {@code r}, at least 1. Only compared: the rank that counts is the tensors'
 * @param alpha {@code lora_alpha}, finite
 * @param rsLora the scale is {@code alpha / sqrt(rank)} instead of {@code alpha / rank}
 * @param rankPattern other ranks for some modules, first match wins
 * @param alphaPattern other alphas for some modules, first match wins
 */
public record LoraScaling(int rank, double alpha, boolean rsLora, List<PatternValue> rankPattern, List<PatternValue> alphaPattern) {
    /** A value for the modules that match. */
    public record PatternValue(ModulePattern pattern, double value) {}

    /** Copies the lists. */
    public LoraScaling {
        rankPattern = List.copyOf(rankPattern);
        alphaPattern = List.copyOf(alphaPattern);
    }

    /** The rank that the configuration gives a module ({@code model.layers.0.self_attn.q_proj}). */
    int rankOf(String module, ModulePattern.Budget budget) {
        return (int) patternValue(rankPattern, module, rank, budget);
    }

    /**
     * The factor of a module's delta.
     *
     * @param tensorRank the rank of its matrices
     */
    double scale(String module, int tensorRank, ModulePattern.Budget budget) {
        double moduleAlpha = patternValue(alphaPattern, module, alpha, budget);
        return moduleAlpha / (rsLora ? Math.sqrt(tensorRank) : tensorRank);
    }

    private static double patternValue(List<PatternValue> patterns, String module, double otherwise, ModulePattern.Budget budget) {
        for (PatternValue candidate : patterns) {
            if (candidate.pattern.matches(module, budget)) {
                return candidate.value;
            }
        }
        return otherwise;
    }
}
