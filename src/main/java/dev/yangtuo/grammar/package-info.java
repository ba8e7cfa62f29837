/**
 * Constrained output: texts that follow a grammar. The entry point is {@link dev.yangtuo.grammar.Grammar}.
 *
 * <p>Order to read the rest in:
 * <ol>
 *   <li>{@code Expression} and {@code Rules}: what all notations become. {@code GbnfParser} and {@code RegexParser} read texts by {@code Cursor};
 *       {@code SchemaReader} with {@code SchemaPart}, {@code SchemaValues}, {@code SchemaObject} and {@code Disjointness} reads JSON schemas, on {@code JsonText},
 *       {@code NumberRange} and {@code StringFormats}.</li>
 *   <li>{@code NetworkBuilder} makes a {@code Network} of nodes over bytes, with the help of {@code EmptyText}, {@code LeftRecursion} and {@code Productive}.</li>
 *   <li>{@code Automaton}: the network's sets of places as {@code State}s that are made when they are needed, over {@code Stacks}.</li>
 *   <li>{@code TokenMasks}: which tokens may come in a state; {@code GrammarConstraint}: one text.</li>
 * </ol>
 * {@code Limits} says what keeps hostile grammars within bounds; {@code CodePoints} and {@code LongSet} are tools.
 */
@org.jspecify.annotations.NullMarked
package dev.yangtuo.grammar;
