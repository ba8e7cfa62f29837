/**
 * The template language of Jinja, as far as chat templates use it, rendered as Python's jinja2 renders it in a sandbox. Templates come with models
 * and are not believed: they reach nothing but the values that they are given, and their steps, their depth and the text that they make are bounded.
 *
 * <p>Every string knows which of its chars are somebody's words ({@link dev.yangtuo.jinja.Text}), through all filters and methods.
 *
 * <p>Read in this order: {@link dev.yangtuo.jinja.Text}, {@link dev.yangtuo.jinja.Program}, {@code Lexer}, {@code Parser} and {@code
 * ExpressionParser} (to {@code Statement} and {@code Expression}), {@code Interpreter} and {@code Evaluator}, {@code Values} (what Python's operators
 * do), {@code Filters}, {@code Tests}, {@code TextMethods}.
 */
@org.jspecify.annotations.NullMarked
package dev.yangtuo.jinja;
