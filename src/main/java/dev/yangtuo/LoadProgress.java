package dev.yangtuo;

/**
 * How far loading or exporting has come.
 *
 * @param tensor the parameter that was finished last; before that, the first one
 * @param tensorsDone parameters finished
 * @param tensorCount parameters of the model
 * @param bytesDone bytes that are finished, as they are kept
 * @param byteCount bytes of all parameters as they are kept
 */
public record LoadProgress(String tensor, int tensorsDone, int tensorCount, long bytesDone, long byteCount) {}
