/**
 * This library's {@code bench} against programs that are used as llama-bench is, in turns on the same files. Read in this order: {@code Compare} (the rounds),
 * {@code Program} (command lines), {@code ProgramOutput} (what they print), {@code Comparison} (medians and ratios), then the three forms of the result.
 */
@org.jspecify.annotations.NullMarked
package dev.yangtuo.benchmarks.compare;
