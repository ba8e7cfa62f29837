/**
 * How long loading, merging and exporting large models takes, and how much memory. {@code SyntheticAdapters} makes models of published shapes
 * with random weights, and adapters that fit them; {@code LoadMeasurement} loads them in new JVMs and watches their memory.
 */
@org.jspecify.annotations.NullMarked
package dev.yangtuo.benchmarks.loading;
