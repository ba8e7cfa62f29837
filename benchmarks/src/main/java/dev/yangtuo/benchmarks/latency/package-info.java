/**
 * How long a person waits, for our engine, llama.cpp and Jlama in the same kind of JVM: JMH benchmarks, the suite that runs them one after the other, and its report. Read in
 * this order: {@code LatencyEngine} and its two implementations, {@code FirstTokenBenchmark}, {@code NextTokenBenchmark}, {@code LoadBenchmark} and
 * {@code ForeignCallBenchmark}, {@code Verification}; then {@code SuitePlan} (what is run), {@code LatencySuite}, {@code SuiteResults}; last {@code LatencyReport}.
 */
@org.jspecify.annotations.NullMarked
package dev.yangtuo.benchmarks.latency;
