package dev.yangtuo;

/**
 * How far loading has come.
 *
 * @param tensor the parameter that was just finished
 * @param tensorsDone parameters finished
 * @param tensorCount parameters of the model
 */
public record LoadProgress(String tensor, int tensorsDone, int tensorCount) {}
