package dev.yangtuo.benchmarks.kernel;

import java.util.List;

/**
 * Size of a weight matrix.
 *
 * @param rows width of the product
 * @param columns width of the input
 */
record MatrixShape(int rows, int columns) {
    /** The matrices of LLaMA models of 1B parameters (2048 wide, FFN 5632) and 7B (4096, 11008), and the former's for a Chinese vocabulary. */
    static final List<String> NAMES =
            List.of("2048x2048", "5632x2048", "2048x5632", "4096x4096", "11008x4096", "4096x11008", "49953x2048");

    private static final String NUMBER = "[1-9][0-9]{0,6}";

    /** @throws IllegalArgumentException if it is not of the form 5632x2048 */
    static MatrixShape parse(String text) {
        if (!text.matches(NUMBER + "x" + NUMBER)) {
            throw new IllegalArgumentException("shape %s: expected rows x columns of a matrix, such as %s".formatted(text, NAMES));
        }
        String[] sizes = text.split("x");
        return new MatrixShape(Integer.parseInt(sizes[0]), Integer.parseInt(sizes[1]));
    }
}
