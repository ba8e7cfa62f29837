/**
 * How fast the library is, measured through its public API with JMH. Each benchmark checks what it computes before it is timed, and says which
 * kernels ran. {@code DemoModel} opens the model that all of them use.
 */
@org.jspecify.annotations.NullMarked
package dev.yangtuo.benchmarks;
