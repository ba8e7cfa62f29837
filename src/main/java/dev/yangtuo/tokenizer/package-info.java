/**
 * SentencePiece tokenizers in pure Java: text to ids and back, id for id as SentencePiece itself does it. Uses nothing of ours but the
 * exceptions, needs no native code, and can be used alone.
 *
 * <p>Order to read it in:
 * <ol>
 *   <li>{@link dev.yangtuo.tokenizer.Tokenizer}, the entry point: load, encode, decode.</li>
 *   <li>{@link dev.yangtuo.tokenizer.SentencePieceModel} and {@link dev.yangtuo.tokenizer.Vocabulary}: what a model is, wherever it
 *       came from, and the checks that make it trustworthy; {@code ModelReader} and {@code ProtoReader} read it from a
 *       {@code .model} file.</li>
 *   <li>{@code Normalizer}: whitespace rules, the step before segmentation.</li>
 *   <li>{@code Encoder}, {@code BpeTables} (built once at load) and {@code BpeEncoder} (the algorithm, explained there), writing
 *       into a {@code TokenBuffer} (unknown characters and byte fallback).</li>
 *   <li>{@link dev.yangtuo.tokenizer.StreamingDecoder}: ids to text, one at a time or all at once.</li>
 *   <li>{@link dev.yangtuo.tokenizer.TokenCounter} and {@link dev.yangtuo.tokenizer.TokenStatistics}: how many tokens texts become.</li>
 * </ol>
 * {@code PieceIndex}, {@code LongIntMap}, {@code UserDefinedMatcher} and {@code Utf8} are the tools below them.
 */
@org.jspecify.annotations.NullMarked
package dev.yangtuo.tokenizer;
