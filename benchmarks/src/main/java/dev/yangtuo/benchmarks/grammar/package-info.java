/** What a grammar costs: {@link dev.yangtuo.benchmarks.grammar.GrammarBenchmark}. */
@org.jspecify.annotations.NullMarked
package dev.yangtuo.benchmarks.grammar;
