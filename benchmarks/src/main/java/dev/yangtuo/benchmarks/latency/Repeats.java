package dev.yangtuo.benchmarks.latency;

/**
 * How often something is measured, in JMH's terms.
 *
 * @param forks JVMs, one after the other
 * @param warmups iterations that do not count
 * @param iterations that do
 * @param seconds of an iteration, which has one operation at least
 */
record Repeats(int forks, int warmups, int iterations, int seconds) {
    /** Of small things, which the JVM has to compile first. */
    static final Repeats SMALL = new Repeats(2, 4, 5, 2);
    /** Of a model whose operations take seconds, most of them in native code. */
    static final Repeats LARGE = new Repeats(1, 1, 4, 5);
    /** To see that all of it works. */
    static final Repeats QUICK = new Repeats(1, 1, 1, 1);
}
