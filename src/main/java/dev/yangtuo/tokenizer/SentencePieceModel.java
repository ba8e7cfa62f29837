package dev.yangtuo.tokenizer;

import dev.yangtuo.exception.TokenizerFormatException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;

/**
 * Everything that decides how a SentencePiece model encodes and decodes, whether it comes from a {@code .model} file or from the
 * arrays of a checkpoint. Of any kind: a unigram model can be read here too. Immutable and thread-safe.
 *
 * @param source the file that it comes from; error messages begin with it
 * @param type how text is cut
 * @param vocabulary the pieces
 * @param normalizer how text is prepared
 * @param byteFallback whether a character without a piece becomes the pieces of its UTF-8 bytes
 * @param treatWhitespaceAsSuffix whether the dummy space stands after the text instead of before it
 * @param unkSurface what the unknown piece is decoded to
 * @param special the ids of special tokens
 */
public record SentencePieceModel(
        Path source,
        ModelType type,
        Vocabulary vocabulary,
        NormalizerSpec normalizer,
        boolean byteFallback,
        boolean treatWhitespaceAsSuffix,
        String unkSurface,
        SpecialTokens special)
        implements TokenizerModel {

    /** Field 1, length-delimited: the first piece, with which every writer begins. */
    private static final byte FIRST_BYTE = 0x0A;

    /** What the unknown piece is decoded to where a model does not say otherwise: U+2047 between spaces. */
    public static final String DEFAULT_UNK_SURFACE = " \u2047 ";

    /** The largest models there are take 5 MB. */
    static final long MAX_FILE_BYTES = 64L << 20;

    /**
     * Checks what its parts cannot check alone.
     *
     * @throws TokenizerFormatException if no piece is of type UNKNOWN, byte pieces and {@code byteFallback} contradict each other, or a
     *     special id is not in the vocabulary
     */
    public SentencePieceModel {
        if (vocabulary.unkId() < 0) {
            throw new TokenizerFormatException(source, "none of the %d pieces is of type UNKNOWN; there must be one"
                    .formatted(vocabulary.size()));
        }
        if (byteFallback && !vocabulary.hasBytePieces()) {
            throw new TokenizerFormatException(source, "byte_fallback is set, but there are no byte pieces; expected all 256");
        }
        if (!byteFallback && vocabulary.hasBytePieces()) {
            throw new TokenizerFormatException(source, "there are byte pieces, but byte_fallback is not set; the file may be truncated");
        }
        special.check(source, vocabulary);
    }

    /**
     * {@return a BPE model made of a checkpoint's arrays; it falls back to bytes if the vocabulary has byte pieces}
     *
     * @param source the file that they come from
     * @param vocabulary its pieces
     * @param normalizer its whitespace rules
     * @param special its special ids
     * @throws TokenizerFormatException if a special id is not in the vocabulary
     */
    public static SentencePieceModel bpe(Path source, Vocabulary vocabulary, NormalizerSpec normalizer, SpecialTokens special) {
        return new SentencePieceModel(source, ModelType.BPE, vocabulary, normalizer, vocabulary.hasBytePieces(), false,
                DEFAULT_UNK_SURFACE, special);
    }

    /**
     * {@return the model with more pieces behind its own, with score 0}
     *
     * @param pieces the pieces, spaces written as U+2581
     * @param types their types, as many
     * @throws TokenizerFormatException if a piece is empty or there already
     */
    public SentencePieceModel withAdded(List<String> pieces, List<PieceType> types) {
        return new SentencePieceModel(source, type, vocabulary.withAdded(source, pieces, types), normalizer, byteFallback,
                treatWhitespaceAsSuffix, unkSurface, special);
    }

    /**
     * {@return the model with other special ids}
     *
     * @param ids the ids
     * @throws TokenizerFormatException if one is not in the vocabulary
     */
    public SentencePieceModel withSpecial(SpecialTokens ids) {
        return new SentencePieceModel(source, type, vocabulary, normalizer, byteFallback, treatWhitespaceAsSuffix, unkSurface, ids);
    }

    /**
     * Reads a {@code .model} file.
     *
     * @param file the file
     * @return the model
     * @throws TokenizerFormatException if the file is missing, damaged or inconsistent; the message names the byte or the piece
     * @throws UncheckedIOException if it cannot be read
     */
    public static SentencePieceModel read(Path file) {
        byte[] bytes = bytes(file);
        return read(new ModelReader(file, bytes), file, bytes);
    }

    /** Reads a whole file; of what is no model at all that is said, instead of where it stops looking like one. */
    static SentencePieceModel read(ModelReader reader, Path file, byte[] bytes) {
        try {
            return reader.read();
        } catch (TokenizerFormatException e) {
            if (bytes.length > 0 && bytes[0] == FIRST_BYTE) {
                throw e;
            }
            throw new TokenizerFormatException(file, "is no SentencePiece model; expected a tokenizer.model", e);
        }
    }

    /** {@return the content of a {@code .model} file} Throws what {@link #read} throws of a file that cannot be read. */
    static byte[] bytes(Path file) {
        try {
            if (Files.isDirectory(file)) {
                throw new TokenizerFormatException(file, "is a directory; name the tokenizer.model file inside it");
            }
            long size = Files.size(file);
            if (size > MAX_FILE_BYTES) {
                throw new TokenizerFormatException(file, "has %d bytes, more than the %d of any SentencePiece model".formatted(
                        size, MAX_FILE_BYTES));
            }
            return Files.readAllBytes(file);
        } catch (NoSuchFileException e) {
            throw new TokenizerFormatException(file, "there is no such file", e);
        } catch (IOException e) {
            throw new UncheckedIOException(file + ": cannot be read", e);
        }
    }

    /**
     * {@return the model in the bytes of a {@code .model} file}
     *
     * @param source where the bytes come from; error messages begin with it
     * @param bytes the file's content; not kept
     * @throws TokenizerFormatException if they are damaged or inconsistent; the message names the byte or the piece
     */
    public static SentencePieceModel parse(Path source, byte[] bytes) {
        return new ModelReader(source, bytes).read();
    }

    /**
     * {@return the bytes of a {@code .model} file that encodes and decodes as this model does} Pieces that were added are pieces of the file. What
     * only training uses, and the sentences for testing a model, are not kept; {@code addBos} and {@code addEos} have no place in such a file.
     *
     * @throws TokenizerFormatException if it would be larger than what can be read
     */
    public byte[] toModelFile() {
        return new ModelWriter(this).write();
    }
}
