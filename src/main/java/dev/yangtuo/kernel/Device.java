package dev.yangtuo.kernel;

/**
 * A CUDA device of this machine.
 *
 * @param number from 0, in the order of the driver
 * @param name its maker's
 * @param computeCapability 10 times the major version plus the minor one: 89
 * @param multiprocessors how many it has
 * @param totalBytes of its memory
 * @param freeBytes of it, when it was asked
 * @param problem why it cannot be used; empty if it can
 */
public record Device(int number, String name, int computeCapability, int multiprocessors, long totalBytes, long freeBytes, String problem) {
    /** Whether it can compute. */
    public boolean isUsable() {
        return problem.isEmpty();
    }

    /** What it is called where a device is chosen: {@code cuda:0}. */
    public String id() {
        return "cuda:" + number;
    }

    /** Its compute capability as its maker writes it: {@code 8.9}. */
    public String capability() {
        return computeCapability / 10 + "." + computeCapability % 10;
    }
}
