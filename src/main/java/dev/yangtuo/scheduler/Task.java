package dev.yangtuo.scheduler;

/** Something that is computed with a text. */
public sealed interface Task permits TextTask, ReadingTask {
    /** What the text begins with: ids, at least one, at most the context. */
    int[] tokens();

    /** Of two texts that wait, or that want the last memory, the one with the higher number goes first. */
    int priority();
}
