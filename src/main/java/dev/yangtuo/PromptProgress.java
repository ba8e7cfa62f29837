package dev.yangtuo;

/**
 * How far the prompt of a text has come.
 *
 * @param tokensDone tokens that are computed, or that were known already
 * @param tokenCount tokens of the prompt
 */
public record PromptProgress(int tokensDone, int tokenCount) {}
