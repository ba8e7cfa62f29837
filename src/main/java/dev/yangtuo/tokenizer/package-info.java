/**
 * Tokenizers in pure Java: text to ids and back, id for id as SentencePiece does it, and byte-level BPE as the models of the Llama-3 family have
 * it. Uses nothing of ours but the exceptions, needs no native code, and can be used alone.
 *
 * <p>Order to read it in:
 * <ol>
 *   <li>{@link dev.yangtuo.tokenizer.Tokenizer}, the entry point: load, encode, decode. {@code Pipeline} takes a text through a
 *       {@code Workspace}, window by window: {@code TextSource}, {@code Normalizer}, {@code Encoder}, {@code TokenBuffer};
 *       {@code WorkspacePool} lends workspaces to threads.</li>
 *   <li>{@link dev.yangtuo.tokenizer.TokenizerModel}: what a model is, wherever it came from, and the checks that make it
 *       trustworthy. Of the three kinds {@link dev.yangtuo.tokenizer.SentencePieceModel} is read from a {@code .model} file by {@code ModelReader} and
 *       {@code ProtoReader}.</li>
 *   <li>{@code Normalizer} and {@code CharsMap}: the step before segmentation.</li>
 *   <li>{@code BpeEncoder}, the fast way of the models of the LLaMA family: {@code BpeTables} (built once at load), {@code ChunkCache},
 *       {@code BpeMerger} and {@code BpeWindows} for long chunks.</li>
 *   <li>{@code UnigramEncoder} on {@code UnigramTables}; {@code ByteLevelEncoder} on {@code ByteLevelTables} and
 *       {@code WordIndex}, behind a {@code PreTokenizer} on {@code CharacterClasses}; {@code ByteAlphabet} says how pieces write bytes. {@code ForeignEncoder} asks
 *       another program ({@link dev.yangtuo.tokenizer.ForeignModel}).</li>
 *   <li>{@code Sampler} with {@code BpeDropout} and {@code UnigramLattice}: other segmentations than the best one.</li>
 *   <li>{@link dev.yangtuo.tokenizer.StreamingDecoder}: ids to text, one at a time or all at once;
 *       {@link dev.yangtuo.tokenizer.StreamingEncoder}: texts that come in parts.</li>
 *   <li>Beside them, {@link dev.yangtuo.tokenizer.TokenCounter}: how many tokens texts become, and of which kind; and
 *       {@link dev.yangtuo.tokenizer.VocabularyMerge}: one model out of two;
 *       {@link dev.yangtuo.tokenizer.PieceTrie} on {@code PieceBytes}: all pieces by their bytes.</li>
 * </ol>
 * {@code PieceIndex}, {@code PieceMatcher}, {@code PairTable}, {@code LongIntMap}, {@code LongHeap} and {@code Utf8} are the tools below them.
 */
@org.jspecify.annotations.NullMarked
package dev.yangtuo.tokenizer;
