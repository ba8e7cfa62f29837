package dev.yangtuo.tokenizer;

import dev.yangtuo.exception.TokenizerFormatException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/**
 * Text to ids and back, id for id as SentencePiece does it with the same model. Immutable; any number of threads may use one instance
 * at a time, without locks. Holds no resource that would have to be closed.
 *
 * <pre>{@code
 * Tokenizer tokenizer = Tokenizer.load(Path.of("tokenizer.model"));
 * int[] ids = tokenizer.encode("春眠不觉晓", EncodeOptions.BOS);
 * String text = tokenizer.decode(ids);
 * }</pre>
 *
 * <p>Encoding never produces a control id from text: {@code </s>} written in a text is ordinary pieces.
 */
public final class Tokenizer {
    private final TokenizerModel model;
    private final Vocabulary vocabulary;
    private final Segmenter segmenter;

    private Tokenizer(TokenizerModel model) {
        this.model = model;
        this.vocabulary = model.vocabulary();
        UserDefinedMatcher userDefined = UserDefinedMatcher.of(model);
        this.segmenter = switch (model) {
            case SentencePieceModel sentencePiece -> {
                Normalizer normalizer = new Normalizer(sentencePiece, userDefined);
                Encoder encoder = Encoder.of(sentencePiece, userDefined);
                yield (text, withEnds) -> {
                    Normalizer.Normalized normalized = normalizer.normalize(text, text.length);
                    TokenBuffer tokens = new TokenBuffer(sentencePiece, normalized.length() / 2, withEnds);
                    encoder.encode(normalized.chars(), normalized.length(), tokens);
                    return new Segments(normalized.chars(), tokens);
                };
            }
            case ByteLevelModel byteLevel -> {
                ByteLevelEncoder encoder = new ByteLevelEncoder(byteLevel, userDefined);
                yield (text, withEnds) -> {
                    TokenBuffer tokens = new TokenBuffer(vocabulary, false, text.length / 2, withEnds);
                    encoder.encode(text, 0, text.length, true, tokens);
                    return new Segments(text, tokens);
                };
            }
        };
    }

    /** Normalizes a text without half surrogate pairs and cuts it into pieces. */
    private interface Segmenter {
        Segments segment(char[] wellFormed, boolean withEnds);
    }

    /** @param chars the normalized text, to which the tokens' ends refer */
    private record Segments(char[] chars, TokenBuffer tokens) {}

    /**
     * Loads a SentencePiece {@code .model} file.
     *
     * @param modelFile the file
     * @return its tokenizer
     * @throws TokenizerFormatException if the file is missing, damaged, inconsistent or of a kind that is not supported; the message
     *     names the file and the byte or the piece
     * @throws UncheckedIOException if it cannot be read
     */
    public static Tokenizer load(Path modelFile) {
        return of(SentencePieceModel.read(modelFile));
    }

    /**
     * {@return the tokenizer of a model}
     *
     * @param model from wherever, such as the arrays of a checkpoint
     * @throws TokenizerFormatException if it is of a kind that is not supported
     */
    public static Tokenizer of(TokenizerModel model) {
        return new Tokenizer(model);
    }

    /** {@return what the tokenizer was made of} */
    public TokenizerModel model() {
        return model;
    }

    /** {@return the number of pieces; ids are 0 to this minus 1} */
    public int vocabSize() {
        return vocabulary.size();
    }

    /**
     * {@return the piece with that id, spaces written as U+2581}
     *
     * @param id from 0 to {@code vocabSize() - 1}
     * @throws IllegalArgumentException if there is no such id
     */
    public String piece(int id) {
        return vocabulary.piece(id);
    }

    /**
     * {@return the score of the piece with that id}
     *
     * @param id from 0 to {@code vocabSize() - 1}
     * @throws IllegalArgumentException if there is no such id
     */
    public float score(int id) {
        return vocabulary.score(id);
    }

    /**
     * {@return the type of the piece with that id}
     *
     * @param id from 0 to {@code vocabSize() - 1}
     * @throws IllegalArgumentException if there is no such id
     */
    public PieceType type(int id) {
        return vocabulary.type(id);
    }

    /**
     * {@return the id of a piece, empty where there is none}
     *
     * @param piece spaces written as U+2581
     */
    public OptionalInt id(String piece) {
        return vocabulary.id(piece);
    }

    /** {@return the id of begin of sequence, or -1} */
    public int bosId() {
        return model.special().bosId();
    }

    /** {@return the id of end of sequence, or -1} */
    public int eosId() {
        return model.special().eosId();
    }

    /** {@return the id of the unknown piece, or -1} */
    public int unkId() {
        return vocabulary.unkId();
    }

    /** {@return the id of padding, or -1} */
    public int padId() {
        return model.special().padId();
    }

    /**
     * {@return the ids of a text, nothing added}
     *
     * @param text any; a half surrogate pair counts as U+FFFD
     */
    public int[] encode(CharSequence text) {
        return encode(text, EncodeOptions.PLAIN);
    }

    /**
     * {@return the ids of a text}
     *
     * @param text any; a half surrogate pair counts as U+FFFD
     * @param options what is added around it
     * @throws IllegalArgumentException if an id is asked for that the model does not have
     */
    public int[] encode(CharSequence text, EncodeOptions options) {
        return encode(Normalizer.wellFormed(text.toString()), options);
    }

    /**
     * {@return the ids of a text}
     *
     * @param utf8 the text in UTF-8; every byte that is not part of a valid character counts as U+FFFD
     * @param options what is added around it
     * @throws IllegalArgumentException if an id is asked for that the model does not have
     */
    public int[] encode(byte[] utf8, EncodeOptions options) {
        return encode(Normalizer.wellFormed(utf8), options);
    }

    private int[] encode(char[] wellFormed, EncodeOptions options) {
        int first = options.bos() ? require(bosId(), "begin-of-sequence") : -1;
        int last = options.eos() ? require(eosId(), "end-of-sequence") : -1;
        return segmenter.segment(wellFormed, false).tokens().toArray(first, last);
    }

    private int require(int id, String name) {
        if (id < 0) {
            throw new IllegalArgumentException("%s has no %s piece; encode without it".formatted(model.source(), name));
        }
        return id;
    }

    /**
     * {@return the pieces of a text, nothing added; together they are the normalized text, but for bytes, which are written
     * {@code <0xNN>}} A run of characters without a piece is written as itself.
     *
     * @param text any; a half surrogate pair counts as U+FFFD
     */
    public List<String> encodeAsPieces(CharSequence text) {
        char[] wellFormed = Normalizer.wellFormed(text.toString());
        Segments segments = segmenter.segment(wellFormed, true);
        TokenBuffer tokens = segments.tokens();
        List<String> pieces = new ArrayList<>(tokens.size());
        for (int i = 0; i < tokens.size(); i++) {
            int start = i == 0 ? 0 : tokens.end(i - 1);
            pieces.add(tokens.id(i) == vocabulary.unkId()
                    ? new String(segments.chars(), start, tokens.end(i) - start)
                    : vocabulary.piece(tokens.id(i)));
        }
        return pieces;
    }

    /**
     * {@return the text of ids, as {@link StreamingDecoder} describes it}
     *
     * @param ids from 0 to {@code vocabSize() - 1} each
     * @throws IllegalArgumentException if there is no such id; the message names it, its index and the vocabulary's size
     */
    public String decode(int... ids) {
        StreamingDecoder decoder = decoderAfter(ids);
        decoder.endBytes();
        return decoder.take();
    }

    /** {@return a decoder for ids that come one at a time, at the beginning of a text} */
    public StreamingDecoder streamingDecoder() {
        return new StreamingDecoder(model);
    }

    /**
     * {@return a decoder for ids that continue a prompt} It returns the text that the ids add to the prompt's: the space that the first
     * generated piece begins with is kept, unless the prompt has no text at all. Bytes of an unfinished character at the prompt's end
     * count as added.
     *
     * @param promptIds the ids before, from 0 to {@code vocabSize() - 1} each
     * @throws IllegalArgumentException if there is no such id
     */
    public StreamingDecoder continuationDecoder(int[] promptIds) {
        StreamingDecoder decoder = decoderAfter(promptIds);
        decoder.take();
        return decoder;
    }

    private StreamingDecoder decoderAfter(int[] ids) {
        StreamingDecoder decoder = new StreamingDecoder(model);
        for (int i = 0; i < ids.length; i++) {
            if (ids[i] < 0 || ids[i] >= vocabulary.size()) {
                throw new IllegalArgumentException("id %d at index %d is outside the vocabulary of %d pieces".formatted(
                        ids[i], i, vocabulary.size()));
            }
            decoder.append(ids[i]);
        }
        return decoder;
    }
}
