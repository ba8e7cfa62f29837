/** Many texts at once: throughput, and long runs under a random load. */
@NullMarked
package dev.yangtuo.benchmarks.texts;

import org.jspecify.annotations.NullMarked;
