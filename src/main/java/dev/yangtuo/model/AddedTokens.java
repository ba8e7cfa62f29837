package dev.yangtuo.model;

import com.fasterxml.jackson.databind.JsonNode;
import dev.yangtuo.exception.TokenizerFormatException;
import dev.yangtuo.tokenizer.PieceType;
import dev.yangtuo.tokenizer.SentencePieceModel;
import dev.yangtuo.tokenizer.SpecialTokens;
import dev.yangtuo.tokenizer.Vocabulary;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * What Hugging Face's files beside a {@code tokenizer.model} add to it: {@code added_tokens.json}, {@code tokenizer_config.json} and
 * {@code special_tokens_map.json}, each of which may be missing.
 *
 * <p>Added pieces have the ids after the model's, without gaps; those that name an id of the model must name the piece that it has, which
 * keeps its type. An added piece is a control piece, never found in text, unless {@code added_tokens_decoder} says {@code "special":
 * false} and nothing declares it special; then it is user-defined.
 */
final class AddedTokens {
    private static final Logger LOGGER = System.getLogger(AddedTokens.class.getName());

    private static final String DECODER = "added_tokens_decoder";
    private static final List<String> SPECIAL_KEYS = List.of("bos_token", "eos_token", "pad_token", "unk_token", "sep_token", "cls_token",
            "mask_token", "additional_special_tokens", "extra_special_tokens");

    /**
     * One with an id that the model does not have.
     *
     * @param file that it was first found in
     * @param ordinary whether that says that it is not special
     */
    private record Added(Path file, String piece, boolean ordinary) {}

    private final SentencePieceModel model;
    private final Vocabulary vocabulary;
    private final TokenizerJson added;
    private final TokenizerJson config;
    private final TokenizerJson specialMap;

    private AddedTokens(SentencePieceModel model, Path directory) {
        this.model = model;
        this.vocabulary = model.vocabulary();
        this.added = TokenizerJson.read(directory.resolve("added_tokens.json"));
        this.config = TokenizerJson.read(directory.resolve("tokenizer_config.json"));
        this.specialMap = TokenizerJson.read(directory.resolve("special_tokens_map.json"));
    }

    /**
     * {@return the model with what the files of its directory add}
     *
     * @param rows of the vocabulary that the model belongs to; added tokens with ids from there on are left out
     * @throws TokenizerFormatException if one is damaged, or contradicts the model or another one; the message names the file and the id
     */
    static SentencePieceModel extend(SentencePieceModel model, Path directory, long rows) {
        return new AddedTokens(model, directory).extend(rows);
    }

    private SentencePieceModel extend(long rows) {
        TreeMap<Integer, Added> byId = new TreeMap<>();
        Map<String, Integer> ids = new HashMap<>();
        readDecoder(byId, ids);
        for (Map.Entry<String, JsonNode> entry : added.root().properties()) {
            int id = TokenizerJson.id(entry.getValue()).orElseThrow(() -> added.unexpected(
                    "the id of '%s'".formatted(TokenizerJson.shown(entry.getKey())), "a number from 0 on", entry.getValue()));
            add(byId, ids, added.file(), id, entry.getKey(), false);
        }
        Set<String> special = specialPieces();
        List<String> pieces = new ArrayList<>();
        List<PieceType> types = new ArrayList<>();
        int expected = vocabulary.size();
        for (Map.Entry<Integer, Added> entry : byId.entrySet()) {
            Added token = entry.getValue();
            if (entry.getKey() != expected) {
                throw new TokenizerFormatException(token.file(), ("%s has the id %d, but no piece has the id %d; expected ids without gaps"
                        + " after the %d pieces of %s").formatted(shown(token.piece()), entry.getKey(), expected, vocabulary.size(),
                                model.source().getFileName()));
            }
            if (expected < rows) {
                pieces.add(token.piece());
                types.add(token.ordinary() && !special.contains(token.piece()) ? PieceType.USER_DEFINED : PieceType.CONTROL);
            }
            expected++;
        }
        if (pieces.size() < byId.size()) {
            LOGGER.log(Level.WARNING, "{0}: of {1} added tokens {2} are left out, because the vocabulary has only {3} rows",
                    model.source().resolveSibling(""), byId.size(), byId.size() - pieces.size(), rows);
        }
        SentencePieceModel extended = pieces.isEmpty() ? model : model.withAdded(pieces, types);
        return extended.withSpecial(special(extended.vocabulary()));
    }

    private void readDecoder(Map<Integer, Added> byId, Map<String, Integer> ids) {
        JsonNode decoder = config.value(DECODER);
        if (decoder == null) {
            return;
        }
        if (!decoder.isObject()) {
            throw config.unexpected("'%s'".formatted(DECODER), "an object", decoder);
        }
        for (Map.Entry<String, JsonNode> entry : decoder.properties()) {
            String place = "'%s', entry '%s'".formatted(DECODER, TokenizerJson.shown(entry.getKey()));
            int id = parseId(entry.getKey());
            if (id < 0) {
                throw new TokenizerFormatException(config.file(), place + ": expected an id from 0 on as its name");
            }
            JsonNode special = entry.getValue().get("special");
            if (special != null && !special.isNull() && !special.isBoolean()) {
                throw config.unexpected(place + ": 'special'", "true or false", special);
            }
            boolean ordinary = special != null && special.isBoolean() && !special.booleanValue();
            add(byId, ids, config.file(), id, config.pieceName(place, entry.getValue()), ordinary);
        }
    }

    private static int parseId(String text) {
        // One way to write a number, so that no two names are the same id.
        if (!text.matches("0|[1-9][0-9]{0,9}")) {
            return -1;
        }
        long id = Long.parseLong(text);
        return id > Integer.MAX_VALUE ? -1 : (int) id;
    }

    private void add(Map<Integer, Added> byId, Map<String, Integer> ids, Path file, int id, String content, boolean ordinary) {
        String piece = content.replace(' ', '\u2581');
        if (piece.isEmpty()) {
            throw new TokenizerFormatException(file, "the piece with the id %d is empty".formatted(id));
        }
        if (id < vocabulary.size()) {
            if (!vocabulary.piece(id).equals(piece)) {
                throw new TokenizerFormatException(file, "%s has the id %d, but in %s that is %s; the files belong to different models"
                        .formatted(shown(piece), id, model.source().getFileName(), shown(vocabulary.piece(id))));
            }
            return;
        }
        int inModel = vocabulary.id(piece).orElse(-1);
        if (inModel >= 0) {
            throw new TokenizerFormatException(file, "%s has the id %d, but in %s it has the id %d; the files belong to different models"
                    .formatted(shown(piece), id, model.source().getFileName(), inModel));
        }
        Added earlier = byId.get(id);
        if (earlier != null && !earlier.piece().equals(piece)) {
            throw new TokenizerFormatException(file, "the id %d is that of %s, but in %s that of %s".formatted(
                    id, shown(piece), earlier.file().getFileName(), shown(earlier.piece())));
        }
        Integer other = ids.putIfAbsent(piece, id);
        if (other != null && other != id) {
            throw new TokenizerFormatException(file, "%s has the id %d, but also the id %d".formatted(shown(piece), id, other));
        }
        if (earlier == null) {
            byId.put(id, new Added(file, piece, ordinary));
        }
    }

    private static String shown(String piece) {
        return "'%s'".formatted(TokenizerJson.shown(piece));
    }

    private Set<String> specialPieces() {
        Set<String> pieces = new HashSet<>();
        config.pieceNames(SPECIAL_KEYS, name -> pieces.add(name.replace(' ', '\u2581')));
        List<String> mapKeys = new ArrayList<>();
        specialMap.root().fieldNames().forEachRemaining(mapKeys::add);
        specialMap.pieceNames(mapKeys, name -> pieces.add(name.replace(' ', '\u2581')));
        return pieces;
    }

    private SpecialTokens special(Vocabulary all) {
        SpecialTokens own = model.special();
        return new SpecialTokens(
                specialId(all, "bos_token", own.bosId()),
                specialId(all, "eos_token", own.eosId()),
                specialId(all, "pad_token", own.padId()),
                config.flag("add_bos_token", own.addBos()),
                config.flag("add_eos_token", own.addEos()));
    }

    /** By the first of the two files that names a piece that exists. */
    private int specialId(Vocabulary all, String key, int own) {
        for (TokenizerJson json : List.of(config, specialMap)) {
            int id = all.id(json.pieceName(key).replace(' ', '\u2581')).orElse(-1);
            if (id >= 0) {
                return id;
            }
        }
        return own;
    }
}
