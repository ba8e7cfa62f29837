package dev.yangtuo.model;

import dev.yangtuo.checkpoint.GgufCheckpoint;
import dev.yangtuo.checkpoint.GgufMetadata;
import dev.yangtuo.checkpoint.GgufPairs;
import dev.yangtuo.exception.YangtuoException;
import dev.yangtuo.tokenizer.ByteLevelModel;
import dev.yangtuo.tokenizer.ForeignModel;
import dev.yangtuo.tokenizer.Merges;
import dev.yangtuo.tokenizer.ModelType;
import dev.yangtuo.tokenizer.NormalizerSpec;
import dev.yangtuo.tokenizer.PieceType;
import dev.yangtuo.tokenizer.SentencePieceModel;
import dev.yangtuo.tokenizer.SpecialTokens;
import dev.yangtuo.tokenizer.TokenizerModel;
import dev.yangtuo.tokenizer.Vocabulary;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Writes a tokenizer into the metadata of a GGUF file, as llama.cpp's converter does; the counterpart of {@link GgufTokenizer}. */
final class GgufVocabulary {
    private static final Logger LOGGER = System.getLogger(GgufVocabulary.class.getName());

    private static final String PREFIX = "tokenizer.";
    private static final String KIND = "tokenizer.ggml.model";
    /** How words are cut, where text is not cut into words first. */
    private static final String NO_WORDS = "default";
    /** Of a row without a piece: lower than any. */
    private static final float PADDING_SCORE = -10_000f;

    private final MergedModel model;
    private final int rows;
    private final GgufPairs pairs;

    private GgufVocabulary(MergedModel model, GgufPairs pairs) {
        this.model = model;
        this.rows = model.config().vocabSize();
        this.pairs = pairs;
    }

    /**
     * Puts the pieces of a model's tokenizer, one for each row of its embedding, its special ids, and its chat template. What a GGUF base
     * says of its tokenizer is taken over as it is, unless an adapter brings another one.
     */
    static void put(MergedModel model, GgufPairs pairs) {
        new GgufVocabulary(model, pairs).put();
    }

    private void put() {
        if (model.hasOwnTokenizer() && model.source() instanceof GgufSource source) {
            copy(source.gguf());
            putMoreEndIds(source.gguf().metadata());
            return;
        }
        TokenizerModel tokenizer = model.tokenizer().model();
        switch (tokenizer) {
            case SentencePieceModel sentencePiece -> putSentencePiece(sentencePiece);
            case ByteLevelModel byteLevel -> putByteLevel(byteLevel);
            case ForeignModel foreign -> throw new YangtuoException(
                    "%s: only llama.cpp knows how its tokenizer encodes, which cannot be written to another file".formatted(foreign.source()));
        }
        putSpecial(tokenizer);
        putMoreEndIds(null);
        ChatTemplate.beside(tokenizer.source()).ifPresent(template -> pairs.put(ChatTemplate.GGUF_KEY, template.text()));
    }

    private void copy(GgufCheckpoint from) {
        GgufMetadata metadata = from.metadata();
        metadata.keys().stream().filter(key -> key.startsWith(PREFIX)).forEach(key -> pairs.copy(from, key));
        int count = metadata.arrayLength(GgufTokenizer.TOKENS);
        if (count == rows) {
            return;
        }
        pairs.copyStrings(from, GgufTokenizer.TOKENS, padding(count));
        int[] types = Arrays.copyOf(metadata.integers(GgufTokenizer.TYPES), rows);
        Arrays.fill(types, count, rows, PieceType.UNUSED.number());
        pairs.put(GgufTokenizer.TYPES, types);
        if (metadata.contains(GgufTokenizer.SCORES)) {
            float[] scores = Arrays.copyOf(metadata.floats(GgufTokenizer.SCORES), rows);
            Arrays.fill(scores, count, rows, PADDING_SCORE);
            pairs.put(GgufTokenizer.SCORES, scores);
        }
    }

    /** Names of the rows from that one on, which have no piece. */
    private List<String> padding(int first) {
        List<String> names = new ArrayList<>();
        for (int id = first; id < rows; id++) {
            names.add(GgufTokenizer.paddingPiece(id));
        }
        return names;
    }

    private void putSentencePiece(SentencePieceModel tokenizer) {
        NormalizerSpec normalizer = tokenizer.normalizer();
        boolean unigram = tokenizer.type() == ModelType.UNIGRAM;
        if (!unigram && tokenizer.type() != ModelType.BPE) {
            throw new YangtuoException("%s: its tokenizer is of SentencePiece's type %s, which GGUF has no kind for; write a directory"
                    .formatted(tokenizer.source(), tokenizer.type()));
        }
        if (tokenizer.treatWhitespaceAsSuffix() || !normalizer.escapeWhitespaces()) {
            throw new YangtuoException("%s: how its tokenizer treats spaces (%s) cannot be said in GGUF; write a directory".formatted(
                    tokenizer.source(), tokenizer.treatWhitespaceAsSuffix() ? "treat_whitespace_as_suffix" : "escape_whitespaces is off"));
        }
        pairs.put(KIND, unigram ? "t5" : "llama").put(GgufTokenizer.PRE, NO_WORDS);
        putPieces(tokenizer.vocabulary(), true);
        pairs.put(GgufTokenizer.ADD_SPACE_PREFIX, normalizer.addDummyPrefix());
        if (unigram || normalizer.removeExtraWhitespaces()) {
            pairs.put(GgufTokenizer.REMOVE_SPACES, normalizer.removeExtraWhitespaces());
        }
        if (normalizer.precompiledCharsmap().length > 0) {
            pairs.put(GgufTokenizer.CHARSMAP, normalizer.precompiledCharsmap());
        }
        if (!unigram && (normalizer.precompiledCharsmap().length > 0 || normalizer.removeExtraWhitespaces())) {
            LOGGER.log(Level.WARNING, "{0}: its tokenizer normalizes text ({1}), which the file says, but llama.cpp does not do for BPE",
                    tokenizer.source(), normalizer.name());
        }
    }

    private void putByteLevel(ByteLevelModel tokenizer) {
        Vocabulary vocabulary = tokenizer.vocabulary();
        Merges merges = tokenizer.merges();
        pairs.put(KIND, "gpt2").put(GgufTokenizer.PRE, tokenizer.preTokenizer().ggufNames().getFirst());
        putPieces(vocabulary, false);
        List<String> lines = new ArrayList<>();
        for (int rank = 0; rank < merges.size(); rank++) {
            lines.add(vocabulary.piece(merges.left(rank)) + " " + vocabulary.piece(merges.right(rank)));
        }
        pairs.put(GgufTokenizer.MERGES, lines);
    }

    private void putPieces(Vocabulary vocabulary, boolean scored) {
        List<String> pieces = new ArrayList<>();
        float[] scores = new float[rows];
        int[] types = new int[rows];
        for (int id = 0; id < vocabulary.size(); id++) {
            PieceType type = vocabulary.type(id);
            String piece = vocabulary.piece(id);
            if (scored && type == PieceType.USER_DEFINED) {
                // Such a piece has its spaces as text has them here. One that already had them so is never found: no normalized text has any.
                type = piece.indexOf(' ') >= 0 ? PieceType.UNUSED : type;
                piece = piece.replace('\u2581', ' ');
            }
            pieces.add(piece);
            scores[id] = vocabulary.score(id);
            types[id] = type.number();
        }
        pieces.addAll(padding(vocabulary.size()));
        Arrays.fill(scores, vocabulary.size(), rows, PADDING_SCORE);
        Arrays.fill(types, vocabulary.size(), rows, PieceType.UNUSED.number());
        pairs.put(GgufTokenizer.TOKENS, pieces);
        if (scored) {
            pairs.put(GgufTokenizer.SCORES, scores);
        }
        pairs.put(GgufTokenizer.TYPES, types);
    }

    private void putSpecial(TokenizerModel tokenizer) {
        SpecialTokens special = tokenizer.special();
        putId(GgufTokenizer.BOS_ID, special.bosId());
        putId(GgufTokenizer.EOS_ID, special.eosId());
        putId(GgufTokenizer.UNKNOWN_ID, tokenizer.vocabulary().unkId());
        putId(GgufTokenizer.PADDING_ID, special.padId());
        pairs.put(GgufTokenizer.ADD_BOS, special.addBos()).put(GgufTokenizer.ADD_EOS, special.addEos());
    }

    private void putId(String key, int id) {
        if (id >= 0) {
            pairs.put(key, id);
        }
    }

    /** Ids that end a text beside the tokenizer's, as the ends of a turn and of a message. */
    private void putMoreEndIds(@Nullable GgufMetadata present) {
        Set<Integer> known = new HashSet<>(Set.of(model.tokenizer().eosId()));
        for (String key : GgufSource.MORE_END_IDS) {
            if (present != null && present.contains(key)) {
                known.add(present.integer(key));
            }
        }
        List<Integer> more = new ArrayList<>(model.endIds());
        more.removeAll(known);
        for (String key : GgufSource.MORE_END_IDS) {
            if (!more.isEmpty() && !pairs.contains(key)) {
                pairs.put(key, more.removeFirst());
            }
        }
        if (!more.isEmpty()) {
            LOGGER.log(Level.WARNING, "{0}: the tokens {1} end a text, too, which the file has no place for", model.path(), more);
        }
    }
}
