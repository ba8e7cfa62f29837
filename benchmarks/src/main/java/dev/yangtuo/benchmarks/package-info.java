/**
 * How fast the library is, measured through its public API with JMH. Each benchmark checks what it computes before it is timed, and says which
 * kernels ran. {@code RunBenchmarks} is what {@code benchmarks/run} starts. Latency, single kernels, the tokenizer, loading and the comparison with other
 * programs have packages of their own; what they share is here.
 */
@org.jspecify.annotations.NullMarked
package dev.yangtuo.benchmarks;
