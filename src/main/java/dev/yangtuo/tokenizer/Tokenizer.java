package dev.yangtuo.tokenizer;

import dev.yangtuo.exception.TokenizerFormatException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Collection;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.OptionalInt;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

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
 * <p>Encoding never produces a control id from text, unless it is asked to: {@code </s>} written in a text is ordinary pieces.
 *
 * <p>A tokenizer of a {@link ForeignModel} throws an {@link IllegalArgumentException} where a text has more than {@value ForeignModel#MAX_PART_CHARS} chars that cannot be
 * encoded in parts.
 */
public final class Tokenizer {
    /** Parts of a batch for each processor: enough for all to end at about the same time. */
    private static final int BATCH_PARTS = 16;

    private final TokenizerModel model;
    private final Vocabulary vocabulary;
    private final Encoder encoder;
    private final Pipeline pipeline;
    private final WorkspacePool pool;
    private final Sampler sampler;
    private final PieceBytes pieceBytes;
    /** Made when first asked for; a race makes one twice. */
    private volatile @Nullable PieceTrie trie;
    /** The same for the first piece of a text. */
    private volatile @Nullable PieceTrie firstTrie;

    private Tokenizer(TokenizerModel model) {
        this.model = model;
        this.vocabulary = model.vocabulary();
        PieceMatcher userDefined = PieceMatcher.of(model, EnumSet.of(PieceType.USER_DEFINED));
        PieceMatcher special = PieceMatcher.of(model, EnumSet.of(PieceType.CONTROL, PieceType.UNKNOWN));
        this.encoder = Encoder.of(model, userDefined);
        this.pipeline = new Pipeline(Normalizer.of(model, userDefined), special);
        this.pool = new WorkspacePool(encoder, model);
        this.sampler = new Sampler(model, encoder, userDefined);
        this.pieceBytes = new PieceBytes(model);
    }

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

    /**
     * {@return the bytes of UTF-8 that a piece adds to a text behind others, as {@link StreamingDecoder} adds them; empty for control pieces and the unknown piece} A piece
     * may be a part of a character.
     *
     * @param id from 0 to {@code vocabSize() - 1}
     * @throws IllegalArgumentException if there is no such id
     */
    public byte[] bytes(int id) {
        return pieceBytes.of(id);
    }

    /**
     * {@return the bytes that a piece adds where the decoder {@linkplain StreamingDecoder#dropsSpace drops a space}}
     *
     * @param id from 0 to {@code vocabSize() - 1}
     * @throws IllegalArgumentException if there is no such id
     */
    public byte[] firstBytes(int id) {
        byte[] bytes = bytes(id);
        return pieceBytes.beginsWithSpaceSymbol(id) ? Arrays.copyOfRange(bytes, 1, bytes.length) : bytes;
    }

    /** {@return all pieces that have {@link #bytes}, by these} Made once. */
    public PieceTrie trie() {
        PieceTrie made = trie;
        if (made == null) {
            made = trie(IntStream.range(0, vocabSize()).mapToObj(this::bytes).toArray(byte[][]::new));
            trie = made;
        }
        return made;
    }

    /** {@return all pieces that have {@link #firstBytes}, by these} Made once. */
    public PieceTrie firstTrie() {
        PieceTrie made = firstTrie;
        if (made == null) {
            made = trie(IntStream.range(0, vocabSize()).mapToObj(this::firstBytes).toArray(byte[][]::new));
            firstTrie = made;
        }
        return made;
    }

    private static PieceTrie trie(byte[][] bytes) {
        return PieceTrie.of(IntStream.range(0, bytes.length).filter(id -> bytes[id].length > 0).toArray(), bytes);
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
        Workspace work = pool.borrow();
        pipeline.run(work, text, options.parseSpecial(), false);
        int[] ids = result(work, options);
        pool.giveBack(work);
        return ids;
    }

    /**
     * {@return the ids of a text}
     *
     * @param utf8 the text in UTF-8; every byte that is not part of a valid character counts as U+FFFD
     * @param options what is added around it
     * @throws IllegalArgumentException if an id is asked for that the model does not have
     */
    public int[] encode(byte[] utf8, EncodeOptions options) {
        Workspace work = pool.borrow();
        pipeline.run(work, utf8, options.parseSpecial(), false);
        int[] ids = result(work, options);
        pool.giveBack(work);
        return ids;
    }

    /**
     * {@return the ids of a text that goes on where another ended} No space is put before it, as models with a dummy prefix do with a text of its own, and spaces at its
     * beginning stay.
     *
     * @param text any; a half surrogate pair counts as U+FFFD
     */
    public int[] encodeContinuation(CharSequence text) {
        Workspace work = pool.borrow();
        pipeline.runContinuation(work, text);
        int[] ids = result(work, EncodeOptions.PLAIN);
        pool.giveBack(work);
        return ids;
    }

    /**
     * {@return the ids of a prompt that quotes somebody} Control and unknown pieces that are written in it become their ids, as with
     * {@link EncodeOptions#parseSpecial}, but only where none of their chars is quoted: no quoted text can produce them. User-defined pieces are found in any
     * text, except those that are named.
     *
     * @param prompt any; a half surrogate pair counts as U+FFFD
     * @param quoted indices of the chars that are not to be trusted
     * @param marks user-defined pieces that no quoted text shall produce, either
     */
    public int[] encodePrompt(CharSequence prompt, BitSet quoted, Collection<String> marks) {
        BitSet cuts = new BitSet();
        String text = prompt.toString();
        for (String mark : marks) {
            for (int at = text.indexOf(mark); at >= 0; at = text.indexOf(mark, at + 1)) {
                int firstQuoted = quoted.nextSetBit(at);
                if (firstQuoted >= 0 && firstQuoted < at + mark.length()) {
                    cuts.set(at + Character.charCount(text.codePointAt(at)));
                }
            }
        }
        Workspace work = pool.borrow();
        pipeline.runPrompt(work, prompt, quoted, cuts);
        int[] ids = result(work, EncodeOptions.PLAIN);
        pool.giveBack(work);
        return ids;
    }

    /** {@return a copy of the ids in a workspace, with what is added around them} */
    private int[] result(Workspace work, EncodeOptions options) {
        int first = firstId(options);
        int last = lastId(options);
        int size = work.tokens.size();
        int offset = first < 0 ? 0 : 1;
        int[] ids = new int[offset + size + (last < 0 ? 0 : 1)];
        work.tokens.copyTo(ids, offset);
        if (options.reverse()) {
            for (int i = offset, j = offset + size - 1; i < j; i++, j--) {
                int id = ids[i];
                ids[i] = ids[j];
                ids[j] = id;
            }
        }
        if (first >= 0) {
            ids[0] = first;
        }
        if (last >= 0) {
            ids[offset + size] = last;
        }
        return ids;
    }

    private int firstId(EncodeOptions options) {
        return options.bos() ? require(bosId(), "begin-of-sequence") : -1;
    }

    private int lastId(EncodeOptions options) {
        return options.eos() ? require(eosId(), "end-of-sequence") : -1;
    }

    private int require(int id, String name) {
        if (id < 0) {
            throw new IllegalArgumentException("%s has no %s piece; encode without it".formatted(model.source(), name));
        }
        return id;
    }

    /**
     * {@return the ids of many texts, in their order} They are encoded in parallel, by the threads of the common pool.
     *
     * @param texts any; half surrogate pairs count as U+FFFD
     * @param options what is added around each
     * @throws IllegalArgumentException if an id is asked for that the model does not have
     */
    public List<int[]> encodeAll(Collection<? extends CharSequence> texts, EncodeOptions options) {
        firstId(options);
        lastId(options);
        CharSequence[] array = texts.toArray(new CharSequence[0]);
        int[][] ids = new int[array.length][];
        // Parts of many texts: a thread gets its workspace once for all of them.
        int parts = Math.min(array.length, BATCH_PARTS * Runtime.getRuntime().availableProcessors());
        IntStream.range(0, parts).parallel().forEach(part -> {
            Workspace work = pool.borrow();
            int end = (int) ((long) array.length * (part + 1) / parts);
            for (int i = (int) ((long) array.length * part / parts); i < end; i++) {
                pipeline.run(work, array[i], options.parseSpecial(), false);
                ids[i] = result(work, options);
            }
            pool.giveBack(work);
        });
        return List.of(ids);
    }

    /**
     * {@return an encoder for a text that comes in parts, such as one that is larger than memory}
     *
     * @param options what is added around the text; special tokens cannot be parsed and ids not be reversed here
     * @param consumer takes the ids, some with each part
     * @throws IllegalArgumentException if the options ask for what cannot be done, or for an id that the model does not have
     */
    public StreamingEncoder streamingEncoder(EncodeOptions options, IdConsumer consumer) {
        if (options.reverse() || options.parseSpecial()) {
            throw new IllegalArgumentException("a text in parts cannot be reversed or searched for special tokens; encode it whole");
        }
        return new StreamingEncoder(pipeline, pool.make(), firstId(options), lastId(options), consumer);
    }

    /**
     * {@return the tokens of a text with their places in it}
     *
     * @param text any; a half surrogate pair counts as U+FFFD, which takes three bytes
     * @param options what is added around it
     * @throws IllegalArgumentException if an id is asked for that the model does not have
     */
    public List<Token> encodeAsTokens(CharSequence text, EncodeOptions options) {
        Workspace work = pool.borrow();
        pipeline.run(work, text, options.parseSpecial(), true);
        return tokens(work, TextPlaces.of(text), options);
    }

    /**
     * {@return the tokens of a text with their places in it}
     *
     * @param utf8 the text in UTF-8; every byte that is not part of a valid character counts as U+FFFD, one char and one byte
     * @param options what is added around it
     * @throws IllegalArgumentException if an id is asked for that the model does not have
     */
    public List<Token> encodeAsTokens(byte[] utf8, EncodeOptions options) {
        Workspace work = pool.borrow();
        pipeline.run(work, utf8, options.parseSpecial(), true);
        return tokens(work, TextPlaces.of(utf8), options);
    }

    private List<Token> tokens(Workspace work, TextPlaces places, EncodeOptions options) {
        int first = firstId(options);
        int last = lastId(options);
        TokenBuffer buffer = work.tokens;
        List<Token> tokens = new ArrayList<>(buffer.size() + 2);
        int unknowns = 0;
        for (int i = 0; i < buffer.size(); i++) {
            int id = buffer.id(i);
            String piece = buffer.isUnknownText(i) ? buffer.unknownText(unknowns++) : vocabulary.piece(id);
            int byteStart = places.bytesBefore(buffer.start(i));
            int byteEnd = places.bytesBefore(buffer.end(i));
            tokens.add(new Token(id, piece, buffer.start(i), buffer.end(i), byteStart, byteEnd));
        }
        pool.giveBack(work);
        if (options.reverse()) {
            Collections.reverse(tokens);
        }
        if (first >= 0) {
            tokens.addFirst(new Token(first, vocabulary.piece(first), 0, 0, 0, 0));
        }
        if (last >= 0) {
            tokens.add(new Token(last, vocabulary.piece(last), places.chars(), places.chars(), places.bytes(), places.bytes()));
        }
        return tokens;
    }

    /**
     * {@return the pieces of a text, nothing added; together they are the normalized text, but for bytes, which are written
     * {@code <0xNN>}} A run of characters without a piece is written as itself.
     *
     * @param text any; a half surrogate pair counts as U+FFFD
     */
    public List<String> encodeAsPieces(CharSequence text) {
        return encodeAsPieces(text, EncodeOptions.PLAIN);
    }

    /**
     * {@return the pieces of a text, as {@link #encodeAsPieces(CharSequence)} describes them}
     *
     * @param text any; a half surrogate pair counts as U+FFFD
     * @param options what is added around it
     * @throws IllegalArgumentException if an id is asked for that the model does not have
     */
    public List<String> encodeAsPieces(CharSequence text, EncodeOptions options) {
        return encodeAsTokens(text, options).stream().map(Token::piece).toList();
    }

    /**
     * {@return a text as it is before it is cut into pieces: characters mapped, spaces written as the model writes them}
     *
     * @param text any; a half surrogate pair counts as U+FFFD
     */
    public String normalize(CharSequence text) {
        Workspace work = pool.borrow();
        pipeline.normalizeAll(work, text);
        String normalized = new String(work.text, 0, work.textTo);
        pool.giveBack(work);
        return normalized;
    }

    /**
     * {@return the ids of a text cut at random, for training with more varied data} With a BPE model each merge is left out with the probability
     * {@code alpha} (BPE dropout); with a unigram model a segmentation is drawn with a probability proportional to its own to the power of {@code alpha}.
     *
     * @param text any; a half surrogate pair counts as U+FFFD
     * @param alpha BPE: from 0, as {@link #encode}, to 1, single characters. Unigram: not negative; 0 for all segmentations alike
     * @param random where chance comes from; the same state gives the same ids
     * @throws IllegalArgumentException if alpha is out of range
     */
    public int[] sample(CharSequence text, double alpha, RandomGenerator random) {
        return sampler.sample(normalize(text), alpha, random);
    }

    /**
     * {@return the ids of one of the n best segmentations of a text under a unigram model, drawn with a probability proportional to its own to the power
     * of {@code alpha}}
     *
     * @param text any; a half surrogate pair counts as U+FFFD
     * @param n from 1, the best, to {@value Sampler#MAX_SEGMENTATIONS}
     * @param alpha not negative; 0 for all of them alike
     * @param random where chance comes from; the same state gives the same ids
     * @throws IllegalArgumentException if n or alpha are out of range
     * @throws UnsupportedOperationException if this is no unigram model
     */
    public int[] sample(CharSequence text, int n, double alpha, RandomGenerator random) {
        return sampler.sample(normalize(text), n, alpha, random);
    }

    /**
     * {@return the n best segmentations of a text under a unigram model, the best first; fewer where there are not as many}
     *
     * @param text any; a half surrogate pair counts as U+FFFD
     * @param n from 1 to {@value Sampler#MAX_SEGMENTATIONS}
     * @throws IllegalArgumentException if n is out of range
     * @throws UnsupportedOperationException if this is no unigram model
     */
    public List<Segmentation> nBest(CharSequence text, int n) {
        return sampler.nBest(normalize(text), n);
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

    /**
     * {@return the text of pieces} Those that the vocabulary has are decoded as their ids; any other is text as it stands.
     *
     * @param pieces spaces written as U+2581
     */
    public String decodePieces(List<String> pieces) {
        StreamingDecoder decoder = new StreamingDecoder(model);
        pieces.forEach(decoder::append);
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
