package dev.yangtuo.bench;

/**
 * How fast a test was.
 *
 * @param test what was measured
 * @param tokensPerSecond of all sequences together
 * @param bytesPerToken read at least
 * @param operationsPerToken computed at least
 */
public record TestResult(BenchTest test, Samples tokensPerSecond, double bytesPerToken, double operationsPerToken) {
    static TestResult of(BenchTest test, Samples tokensPerSecond, Workload workload) {
        return new TestResult(test, tokensPerSecond, workload.bytes() / test.allTokens(), workload.operations() / test.allTokens());
    }

    /** At the mean speed, 10^9 bytes a second. */
    public double gigabytesPerSecond() {
        return 1e-9 * bytesPerToken * tokensPerSecond.mean();
    }

    /** At the mean speed, 10^12 multiplications and additions a second. */
    public double teraOperationsPerSecond() {
        return 1e-12 * operationsPerToken * tokensPerSecond.mean();
    }
}
