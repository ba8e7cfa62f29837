package dev.yangtuo.eval;

/**
 * What a model answers to a task.
 *
 * @param item the task
 * @param text the answer
 * @param shortened whether the task did not fit the context, and lost its beginning
 */
public record PcluePrediction(PclueItem item, String text, boolean shortened) {}
