/**
 * How fast the tokenizer is, next to two native ones. {@code TextEncoder} is all of them, {@code Corpus} what they encode, {@code Agreement}
 * the check before anything is timed. Then the measurements: {@code TokenizerBenchmark}, {@code TokenizerBatchBenchmark},
 * {@code TokenizerLoadBenchmark} and {@code TokenizerLinearityBenchmark} with JMH, their tables by {@code TokenizerReport};
 * {@code TokenizerStart} and {@code SpmComparison} start processes and are programs of their own.
 */
@org.jspecify.annotations.NullMarked
package dev.yangtuo.benchmarks.tokenizer;
