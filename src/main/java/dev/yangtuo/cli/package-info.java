/**
 * The command line: one class per command over the public API. Read {@link dev.yangtuo.cli.Main} first, then
 * {@link dev.yangtuo.cli.GenerateCommand}.
 */
@org.jspecify.annotations.NullMarked
package dev.yangtuo.cli;
