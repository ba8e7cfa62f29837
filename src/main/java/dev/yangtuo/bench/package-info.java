/**
 * Measures how fast a model is read and computed, next to what the machine could do at most. Read in this order: {@link dev.yangtuo.bench.BenchTest} (what is
 * measured), {@link dev.yangtuo.bench.Benchmark} (how), {@link dev.yangtuo.bench.Workload} (what it would take at best),
 * {@link dev.yangtuo.bench.BenchReport} (all of it).
 */
@org.jspecify.annotations.NullMarked
package dev.yangtuo.bench;
