package dev.yangtuo.model;

import dev.yangtuo.checkpoint.GgufMetadata;
import dev.yangtuo.exception.TokenizerFormatException;
import dev.yangtuo.tokenizer.ByteLevelModel;
import dev.yangtuo.tokenizer.Merges;
import dev.yangtuo.tokenizer.ModelType;
import dev.yangtuo.tokenizer.NormalizerSpec;
import dev.yangtuo.tokenizer.PieceType;
import dev.yangtuo.tokenizer.PreTokenizerType;
import dev.yangtuo.tokenizer.SentencePieceModel;
import dev.yangtuo.tokenizer.SpecialTokens;
import dev.yangtuo.tokenizer.TokenizerModel;
import dev.yangtuo.tokenizer.Vocabulary;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Reads the tokenizer in the metadata of a GGUF file, as llama.cpp's converter writes it: SentencePiece's pieces under the kinds
 * {@code llama} (BPE) and {@code t5} (unigram), byte-level BPE under {@code gpt2}. What a converter does to the types of pieces is undone
 * where it would change ids.
 */
final class GgufTokenizer {
    static final String KIND = "tokenizer.ggml.model";
    static final String TOKENS = "tokenizer.ggml.tokens";
    static final String TYPES = "tokenizer.ggml.token_type";
    static final String SCORES = "tokenizer.ggml.scores";
    static final String PRE = "tokenizer.ggml.pre";
    static final String MERGES = "tokenizer.ggml.merges";
    static final String CHARSMAP = "tokenizer.ggml.precompiled_charsmap";
    static final String UNKNOWN_ID = "tokenizer.ggml.unknown_token_id";

    static final String BOS_ID = "tokenizer.ggml.bos_token_id";
    static final String EOS_ID = "tokenizer.ggml.eos_token_id";
    static final String PADDING_ID = "tokenizer.ggml.padding_token_id";
    static final String ADD_BOS = "tokenizer.ggml.add_bos_token";
    static final String ADD_EOS = "tokenizer.ggml.add_eos_token";
    static final String ADD_SPACE_PREFIX = "tokenizer.ggml.add_space_prefix";
    static final String REMOVE_SPACES = "tokenizer.ggml.remove_extra_whitespaces";

    private final Path file;
    private final GgufMetadata metadata;
    private final String[] pieces;
    /** Numbers of the pieces' types, GGML's and ours, int32, [pieces]. */
    private final int[] types;

    private GgufTokenizer(Path file, GgufMetadata metadata) {
        this.file = file;
        this.metadata = metadata;
        String[] all = metadata.strings(TOKENS);
        int[] allTypes = metadata.integers(TYPES);
        int count = countWithoutPadding(all, allTypes);
        this.pieces = Arrays.copyOf(all, count);
        this.types = Arrays.copyOf(allTypes, count);
    }

    /** What converters call a row of the embedding that has no piece. */
    static String paddingPiece(int id) {
        return "[PAD%d]".formatted(id);
    }

    /** Rows without a piece at the end are none of the tokenizer's, as they are none in the model that was converted. */
    private int countWithoutPadding(String[] all, int[] allTypes) {
        int least = 1;
        for (String key : metadata.keys()) {
            least = key.endsWith("_token_id") ? Math.max(least, metadata.integer(key) + 1) : least;
        }
        int count = all.length;
        while (count > least && count <= allTypes.length && allTypes[count - 1] == PieceType.UNUSED.number()
                && all[count - 1].equals(paddingPiece(count - 1))) {
            count--;
        }
        return count;
    }

    /** Whether it is of a kind that is read here, or one that is none at all; it may be damaged. Of another one llama.cpp may know how it encodes. */
    static boolean knows(GgufMetadata metadata) {
        return switch (metadata.string(KIND, "llama")) {
            case "llama", "t5" -> true;
            case "gpt2" -> !metadata.contains(PRE) || PreTokenizerType.ofName(metadata.string(PRE)).isPresent();
            default -> false;
        };
    }

    /**
     * Reads it.
     *
     * @throws TokenizerFormatException if it is damaged or of a kind that is not supported
     * @throws dev.yangtuo.exception.CheckpointFormatException if a key is missing or of another type
     */
    static TokenizerModel read(Path file, GgufMetadata metadata) {
        String kind = metadata.string(KIND);
        return switch (kind) {
            case "llama" -> new GgufTokenizer(file, metadata).sentencePieceBpe();
            case "t5" -> new GgufTokenizer(file, metadata).unigram();
            case "gpt2" -> new GgufTokenizer(file, metadata).byteLevel();
            default -> throw new TokenizerFormatException(file, ("its tokenizer is '%s'; 'llama' and 't5' (SentencePiece) and 'gpt2'"
                    + " (byte-level BPE) can be read").formatted(kind));
        };
    }

    private SentencePieceModel sentencePieceBpe() {
        // Only our own files say more than whether a space is put first.
        NormalizerSpec normalizer = normalizer(true);
        SpecialTokens special = special("<s>", "</s>", "", true, false);
        return SentencePieceModel.bpe(file, sentencePieceVocabulary(), normalizer, special);
    }

    private SentencePieceModel unigram() {
        NormalizerSpec normalizer = normalizer(false);
        SpecialTokens special = special("", "</s>", "<pad>", false, true);
        Vocabulary vocabulary = sentencePieceVocabulary();
        return new SentencePieceModel(file, ModelType.UNIGRAM, vocabulary, normalizer, vocabulary.hasBytePieces(), false,
                SentencePieceModel.DEFAULT_UNK_SURFACE, special);
    }

    private NormalizerSpec normalizer(boolean addSpacePrefix) {
        byte[] charsmap = metadata.contains(CHARSMAP) ? bytes(CHARSMAP) : new byte[0];
        return new NormalizerSpec(charsmap.length == 0 ? "identity" : "precompiled", charsmap,
                metadata.flag(ADD_SPACE_PREFIX, addSpacePrefix), metadata.flag(REMOVE_SPACES, false), true);
    }

    private ByteLevelModel byteLevel() {
        if (!metadata.contains(PRE)) {
            throw new TokenizerFormatException(file, ("it does not say by %s how its tokenizer cuts words, which older converters left out;"
                    + " convert the original model again").formatted(PRE));
        }
        String name = metadata.string(PRE);
        PreTokenizerType preTokenizer = PreTokenizerType.ofName(name).orElseThrow(() -> new TokenizerFormatException(file,
                "its tokenizer cuts words as '%s' (%s) does, which is not supported; these are: %s".formatted(
                        name.length() > 40 ? name.substring(0, 40) + "..." : name, PRE,
                        Arrays.stream(PreTokenizerType.values()).flatMap(type -> type.ggufNames().stream())
                                .collect(Collectors.joining(", ")))));
        keepOneUnknown(false);
        nameBytes();
        Vocabulary vocabulary = Vocabulary.of(file, List.of(pieces), new float[pieces.length], types);
        Merges merges = Merges.parse(file, vocabulary, List.of(metadata.strings(MERGES)));
        SpecialTokens special = special("", "", "", preTokenizer == PreTokenizerType.LLAMA_BPE, false);
        return new ByteLevelModel(file, vocabulary, merges, preTokenizer, special);
    }

    private Vocabulary sentencePieceVocabulary() {
        keepOneUnknown(true);
        writeSpacesAsSymbols();
        return Vocabulary.of(file, List.of(pieces), Arrays.copyOf(metadata.floats(SCORES), pieces.length), types);
    }

    /**
     * Where a model's configuration declares {@code <unk>} special, the converter makes it a control piece, and earlier ones called rows
     * without a piece unknown.
     *
     * @param required whether there must be one
     */
    private void keepOneUnknown(boolean required) {
        int unknown = PieceType.UNKNOWN.number();
        int count = 0;
        int first = -1;
        for (int id = types.length - 1; id >= 0; id--) {
            if (types[id] == unknown) {
                count++;
                first = id;
            }
        }
        if (count == 1 || count == 0 && !required) {
            return;
        }
        int named = metadata.integer(UNKNOWN_ID, -1);
        if (named < 0 || types[named] != unknown && types[named] != PieceType.CONTROL.number()) {
            named = count > 0 ? first : controlPiece("<unk>");
        }
        for (int id = 0; id < types.length; id++) {
            if (types[id] == unknown && id != named) {
                types[id] = PieceType.UNUSED.number();
            }
        }
        if (named >= 0) {
            types[named] = unknown;
        }
    }

    /** The converter writes the spaces of user-defined pieces as such, in which form no normalized text has them. */
    private void writeSpacesAsSymbols() {
        Set<String> present = new HashSet<>(Arrays.asList(pieces));
        for (int id = 0; id < pieces.length; id++) {
            if (types[id] == PieceType.USER_DEFINED.number() && pieces[id].indexOf(' ') >= 0) {
                String escaped = pieces[id].replace(' ', '\u2581');
                pieces[id] = present.contains(escaped) ? pieces[id] : escaped;
            }
        }
    }

    /**
     * The piece of a byte is text, even where a model pads with it or declares it special. Bytes that no UTF-8 has need no piece, and some
     * models add their characters as user-defined ones.
     */
    private void nameBytes() {
        for (int id = 0; id < pieces.length; id++) {
            if (types[id] != PieceType.NORMAL.number() && ByteLevelModel.isByteOfText(pieces[id])) {
                types[id] = PieceType.NORMAL.number();
            }
        }
    }

    /** Special ids by their keys, else by the names of control pieces; an empty name is none. */
    private SpecialTokens special(String bos, String eos, String pad, boolean addBos, boolean addEos) {
        return new SpecialTokens(
                metadata.integer(BOS_ID, controlPiece(bos)),
                metadata.integer(EOS_ID, controlPiece(eos)),
                metadata.integer(PADDING_ID, controlPiece(pad)),
                metadata.flag(ADD_BOS, addBos),
                metadata.flag(ADD_EOS, addEos));
    }

    /** The id of a control piece, -1 if there is none. */
    private int controlPiece(String piece) {
        for (int id = 0; id < pieces.length; id++) {
            if (types[id] == PieceType.CONTROL.number() && pieces[id].equals(piece)) {
                return id;
            }
        }
        return -1;
    }

    /** An array of INT8 or UINT8. */
    private byte[] bytes(String key) {
        int[] values = metadata.integers(key);
        byte[] bytes = new byte[values.length];
        for (int i = 0; i < values.length; i++) {
            if (values[i] < Byte.MIN_VALUE || values[i] > 255) {
                throw new TokenizerFormatException(file, "key '%s': element %d is %d; expected a byte".formatted(key, i, values[i]));
            }
            bytes[i] = (byte) values[i];
        }
        return bytes;
    }
}
