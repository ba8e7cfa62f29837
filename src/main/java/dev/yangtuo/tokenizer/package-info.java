/**
 * Tokenizers in pure Java: text to ids and back, for SentencePiece's models id for id as SentencePiece itself does it, for byte-level
 * models as the models' own tokenizers do. Uses nothing of ours but the exceptions, needs no native code, and can be used alone.
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
 *   <li>{@link dev.yangtuo.tokenizer.ByteLevelModel} and {@link dev.yangtuo.tokenizer.Merges}, {@code PreTokenizer} (the words of each
 *       {@link dev.yangtuo.tokenizer.PreTokenizerType}), {@code ByteLevelTables} and {@code ByteLevelEncoder}: the same for byte-level
 *       BPE, where {@code ByteAlphabet} says how pieces write bytes.</li>
 *   <li>{@link dev.yangtuo.tokenizer.StreamingDecoder}: ids to text, one at a time or all at once.</li>
 * </ol>
 * {@code PieceIndex}, {@code LongIntMap}, {@code UserDefinedMatcher} and {@code Utf8} are the tools below them; {@code WordIndex},
 * {@code PairRanks}, {@code CharacterClasses} and {@code LongHeap} those of byte-level models.
 */
@org.jspecify.annotations.NullMarked
package dev.yangtuo.tokenizer;
