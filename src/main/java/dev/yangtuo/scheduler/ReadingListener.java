package dev.yangtuo.scheduler;

/** Follows a text that is read. */
public interface ReadingListener extends TaskListener {
    /**
     * What was computed at some positions; all that are wanted come once, in their order. Called within a forward pass.
     *
     * @param position the first of them
     * @param rows float32 [count][width]; reused, so to be copied if they are kept
     */
    void accept(int position, int count, float[] rows);
}
