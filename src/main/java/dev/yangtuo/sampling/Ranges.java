package dev.yangtuo.sampling;

/** What is said of a value that is out of range. */
final class Ranges {
    private Ranges() {}

    static void require(boolean holds, String name, Object value, String expected) {
        if (!holds) {
            throw new IllegalArgumentException("%s is %s, must be %s".formatted(name, value, expected));
        }
    }
}
