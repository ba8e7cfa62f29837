/**
 * Targets for coverage-guided fuzzing of everything that reads untrusted files. {@code src/test/fuzz} runs them with Jazzer; the ordinary tests run
 * each over its seeds, damaged at random ({@code FuzzTargetsTest}).
 */
@org.jspecify.annotations.NullMarked
package dev.yangtuo.fuzz;
