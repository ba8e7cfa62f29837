package dev.yangtuo.benchmarks.kernel;

/**
 * Size of an attention layer.
 *
 * @param heads query heads, a multiple of {@code kvHeads}
 * @param kvHeads key/value heads
 * @param headDim elements of a head, even
 */
record HeadShape(int heads, int kvHeads, int headDim) {
    private static final String NUMBER = "[1-9][0-9]{0,3}";

    /** @throws IllegalArgumentException if it is not of the form 32x4x64 */
    static HeadShape parse(String text) {
        if (!text.matches(NUMBER + "x" + NUMBER + "x" + NUMBER)) {
            throw new IllegalArgumentException("heads %s: expected heads x key/value heads x head size, such as 32x4x64".formatted(text));
        }
        String[] sizes = text.split("x");
        return new HeadShape(Integer.parseInt(sizes[0]), Integer.parseInt(sizes[1]), Integer.parseInt(sizes[2]));
    }

    int qDim() {
        return heads * headDim;
    }

    int kvDim() {
        return kvHeads * headDim;
    }
}
