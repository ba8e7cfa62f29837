/**
 * How fast single kernels are, each checked against the reference before it is timed. {@code MatmulBenchmark}, {@code AttentionBenchmark} and
 * {@code RowBenchmark} are JMH's; {@code AttentionInputs} is what the second works on. What they share: {@code ForcedKernel} (who computes, and
 * the proof that it did), {@code RandomWeights}, {@code MatrixShape}, {@code HeadShape}, {@code Counts} (bytes and operations), {@code Reference}
 * (the check) and {@code Resources}. {@code KernelArguments} puts kernels' names into JMH's arguments.
 */
@org.jspecify.annotations.NullMarked
package dev.yangtuo.benchmarks.kernel;
